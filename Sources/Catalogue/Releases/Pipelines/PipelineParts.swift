import Checkpoints
import Foundation
import Jobs

/// The parts of a pipeline whose kind is known: weights, tokenizers and settings, each from the folder of diffusers or
/// from files of the authors.
struct PipelineParts {
    let kind: PipelineKind
    let folder: String?
    let authors: AuthorFiles
    let scan: ReleaseScan

    /// - Parameter side: pixels on a side of the pictures, where the user says it.
    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or not built.
    func recognized(side: Int?) throws(UnrecognizedRelease) -> RecognizedRelease {
        let (parts, faults) = weights()
        let words = kind.tokenizers.map { ($0, tokenizer($0)) }
        var problems = faults
        problems += words.filter(\.1.isEmpty).map { missing(tokenizer: $0.0) }
        if let folder, json("scheduler", "scheduler_config.json") == nil,
            let fault = ReleasePiece.settingsProblem("scheduler_config.json", in: "\(folder)/scheduler")
        {
            problems.append(fault)
        }
        let settings = PipelineSettings(
            kind: kind, network: json(kind.network, "config.json") ?? [:],
            autoencoder: json("vae", "config.json") ?? [:],
            schedule: json("scheduler", "scheduler_config.json") ?? [:])
        problems += settings.problems + authors.problems
        guard problems.isEmpty else { throw UnrecognizedRelease(problems: problems) }
        let (files, texts) = written()
        let vocabularies = words.flatMap { name, files in files.map { ("\(name)/\($0.key)", $0.value) } }
        return RecognizedRelease(
            family: .diffusion, title: title, configuration: configuration(side: side), parts: parts,
            files: files.merging(vocabularies) { first, _ in first }, texts: texts, warnings: settings.warnings)
    }

    // MARK: Weights

    /// The components' weights, and what is wrong with them.
    private func weights() -> (parts: [RecognizedRelease.Part], problems: [String]) {
        var (parts, problems): ([RecognizedRelease.Part], [String]) = ([], [])
        for component in kind.weighted {
            if let part = author(component) {
                parts.append(part.part(component))
                problems += part.component.misshapen + [part.component.unreadable].compactMap { $0 }
                continue
            }
            guard let folder else {
                problems.append(missing(component))
                continue
            }
            let path = "\(folder)/\(component)"
            guard FileManager.default.fileExists(atPath: path) else {
                let file = component.hasPrefix("text_encoder") ? "model" : "diffusion_pytorch_model"
                problems.append("\(path): is not here: fetch the folder, its config.json and \(file).safetensors")
                continue
            }
            if json(component, "config.json") == nil, let fault = ReleasePiece.settingsProblem(in: path) {
                problems.append(fault)
            }
            do throws(CheckpointError) {
                let piece = ReleasePiece(.pipelineComponent, try Checkpoint.open(path))
                parts.append(.init(stem: component, piece: piece))
                if component.hasPrefix("text_encoder") {
                    problems += [
                        piece.layersProblem("text_model.encoder.layers.", "num_hidden_layers"),
                        piece.layersProblem("encoder.block.", "num_layers"),
                    ].compactMap { $0 }
                }
            } catch { problems.append(error.description) }
        }
        return (parts, problems)
    }

    /// A component in a file of its authors.
    private func author(_ component: String) -> AuthorFiles.Part? {
        switch (component, kind) {
        case ("unet", _), ("transformer", _):
            authors.network.flatMap { PipelineKind($0.component) == kind ? $0 : nil }
        case ("vae", _): authors.autoencoder
        case ("text_encoder", _): authors.smallTower
        case ("text_encoder_2", .flux), ("text_encoder_3", _): authors.t5
        default: authors.largeTower
        }
    }

    private func missing(_ component: String) -> String {
        let (what, name) =
            switch (component, kind) {
            case ("vae", .sdxl): ("autoencoder", "sdxl_vae.safetensors")
            case ("vae", .sd3): ("autoencoder", "the whole file has it as first_stage_model")
            case ("vae", .flux): ("autoencoder", "ae.safetensors")
            case ("text_encoder", _): ("text encoder CLIP ViT-L", "clip_l.safetensors")
            case ("text_encoder_2", .flux), ("text_encoder_3", _): ("text encoder T5 XXL", "t5xxl_fp16.safetensors")
            default: ("text encoder CLIP ViT-bigG", "clip_g.safetensors")
            }
        return "the network is \(title); its \(what) is not here: \(name)"
    }

    // MARK: Tokenizers

    /// A tokenizer's files, by the names they get: the folder's own, or such as are in the other folders.
    private func tokenizer(_ name: String) -> [String: String] {
        let places = (folder.map { ["\($0)/\(name)"] } ?? []) + (authors.network == nil ? [] : scan.folders)
        for (index, place) in places.enumerated() {
            let fitting =
                kind.isUnigram(name) ? TokenizerFiles.unigram(in: place) : TokenizerFiles.bytePairs(in: place)
            // A folder's own are told by its place, and may be damaged; of the other kind they are no tokenizer of it.
            let isOwn = index == 0 && folder != nil
            let isOther = kind.isUnigram(name) && fitting.isEmpty
            let files = isOwn && !isOther ? TokenizerFiles.all(in: place) : fitting
            if !files.isEmpty { return Dictionary(uniqueKeysWithValues: files.map { ($0, "\(place)/\($0)") }) }
        }
        return [:]
    }

    private func missing(tokenizer name: String) -> String {
        if let folder {
            return kind.isUnigram(name)
                ? "\(folder)/\(name): has no spiece.model and no tokenizer.json of T5's: fetch it"
                : "\(folder)/\(name): has no tokenizer.json and no vocab.json with merges.txt: fetch it"
        }
        return kind.isUnigram(name)
            ? "the network is \(title); T5's tokenizer is not here: spiece.model or tokenizer.json"
            : "the network is \(title); CLIP's tokenizer (\(name)) is not here: vocab.json with merges.txt"
    }

    // MARK: Settings

    /// Where the settings of the model come from: files as they are, and what is written.
    private func written() -> (files: [String: String], texts: [String: JSONValue]) {
        var (files, texts): ([String: String], [String: JSONValue]) = ([:], [:])
        let names = ["scheduler/scheduler_config.json"] + kind.weighted.map { "\($0)/config.json" }
        for name in names {
            if let folder, FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
                files[name] = "\(folder)/\(name)"
            } else {
                let parts = name.split(separator: "/").map(String.init)
                texts[name] = json(parts[0], parts[1])
            }
        }
        if let folder, authors.smallTower == nil {
            files[PipelineRelease.index] = "\(folder)/\(PipelineRelease.index)"
        } else {
            texts[PipelineRelease.index] = index
        }
        guard folder == nil else { return (files, texts) }
        for tokenizer in kind.tokenizers where !kind.isUnigram(tokenizer) {
            // Texts of the larger tower are filled up with "!", id 0.
            let padding = tokenizer == "tokenizer" ? "<|endoftext|>" : "!"
            texts["\(tokenizer)/special_tokens_map.json"] = ["pad_token": .string(padding)]
        }
        return (files, texts)
    }

    /// The classes of the components. The authors' code reads the smaller tower without its projection.
    private var index: JSONValue {
        var members: [String: JSONValue] = [:]
        if case .object(let own) = json(".", PipelineRelease.index) ?? .null { members = own }
        members[kind.network] = ["diffusers", .string(kind.rawValue)]
        members["vae"] = ["diffusers", "AutoencoderKL"]
        members["text_encoder"] = ["transformers", "CLIPTextModel"]
        let projected: JSONValue = ["transformers", "CLIPTextModelWithProjection"]
        members["text_encoder_2"] = kind == .flux ? ["transformers", "T5EncoderModel"] : projected
        if kind == .sd3 { members["text_encoder_3"] = ["transformers", "T5EncoderModel"] }
        if kind == .sdxl, members["force_zeros_for_empty_prompt"] == nil {
            members["force_zeros_for_empty_prompt"] = true
        }
        return .object(members)
    }

    /// What the folder's file says; where it is not there, what is known of the authors' component.
    func json(_ component: String, _ file: String) -> JSONValue? {
        if let folder, let data = FileManager.default.contents(atPath: "\(folder)/\(component)/\(file)") {
            return try? JSONValue(json: data)
        }
        guard let network = authors.network else { return nil }
        let settings = AuthorSettings(kind: kind, pooledWidth: authors.largeTower?.pooledWidth, isTurbo: isTurbo)
        if component == "scheduler" { return folder == nil ? settings.schedule(of: network.component) : nil }
        guard file == "config.json", let part = author(component) else { return nil }
        if component != kind.network, let own = part.piece.settings(), own["d_model"] != nil { return own }
        return settings(part.component, isLargeTower: component == "text_encoder_2")
    }

    /// Whether it was distilled to draw in a few steps, by its name.
    var isTurbo: Bool { (authors.network?.piece.name ?? folder ?? "").lowercased().contains("turbo") }
}
