import Checkpoints
import Foundation
import Jobs

/// Stable Diffusion XL, 3 and 3.5, and FLUX.1: as diffusers lays them out, a folder for each component with its
/// settings and weights; or as their authors ship them, in files of weights alone. Of both, the folder gives what the
/// files lack.
struct PipelineRelease {
    /// The file that names the components.
    static let index = "model_index.json"

    /// What there are jobs for, by the class of the network.
    enum Kind: String, CaseIterable, Sendable {
        case sdxl = "UNet2DConditionModel"
        case sd3 = "SD3Transformer2DModel"
        case flux = "FluxTransformer2DModel"

        init?(_ network: AuthorComponent) {
            switch network.kind {
            case .unet: self = .sdxl
            case .mmdit: self = .sd3
            case .flux: self = .flux
            case .autoencoder, .textTower, .openTextTower, .t5: return nil
            }
        }

        var network: String { self == .sdxl ? "unet" : "transformer" }

        /// Suffixes of the folders of its text encoders and tokenizers.
        private var towers: [String] { self == .sd3 ? ["", "_2", "_3"] : ["", "_2"] }

        /// Components that have weights.
        var weighted: [String] { [network, "vae"] + towers.map { "text_encoder\($0)" } }
        var tokenizers: [String] { towers.map { "tokenizer\($0)" } }

        /// Tokens of a prompt, marks among them; of FLUX.1 the most that any reads.
        var longestPrompt: Int {
            switch self {
            case .sdxl: 77
            case .sd3: PromptLength.sd3
            case .flux: PromptLength.flux(isGuided: true)
            }
        }
    }

    private let folder: String?
    private let authors: AuthorFiles
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    /// Nil where there is neither a folder nor a network.
    init?(_ scan: ReleaseScan, _ wishes: ReleaseWishes) {
        (folder, authors, self.scan, self.wishes) = (scan.pipelines.first, AuthorFiles(scan), scan, wishes)
        if folder == nil, authors.network == nil { return nil }
    }

    /// Folders, and files of networks: of each there must not be several.
    var sources: [[String]] { [scan.pipelines, authors.networkPaths] }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or not built.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        guard let kind else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnrecognizedRelease(
                problems: ["\(place)/\(Self.index): its network is of a class that is not built; \(known) are"])
        }
        if kind == .sdxl, let encoder = unnamedEncoder {
            throw UnrecognizedRelease(
                problems: [
                    """
                    \(place)/\(Self.index): names no \(encoder); Stable Diffusion XL has two text encoders, and \
                    neither 1 and 2 nor XL's refiner are built
                    """
                ])
        }
        let (parts, faults) = parts(kind)
        let words = kind.tokenizers.map { ($0, tokenizer($0, kind)) }
        var problems = faults
        problems += words.filter(\.1.isEmpty).map { missing(tokenizer: $0.0, kind) }
        if folder != nil, json("scheduler", "scheduler_config.json") == nil {
            problems.append("\(place)/scheduler: has no scheduler_config.json: fetch it")
        }
        let settings = PipelineSettings(
            kind: kind, network: json(kind.network, "config.json") ?? [:],
            autoencoder: json("vae", "config.json") ?? [:],
            schedule: json("scheduler", "scheduler_config.json") ?? [:])
        problems += settings.problems + authors.problems
        guard problems.isEmpty else { throw UnrecognizedRelease(problems: problems) }
        let (files, texts) = written(kind)
        let vocabularies = words.flatMap { name, files in files.map { ("\(name)/\($0.key)", $0.value) } }
        return RecognizedRelease(
            family: .diffusion, title: title(kind), configuration: configuration(kind), parts: parts,
            files: files.merging(vocabularies) { first, _ in first }, texts: texts, warnings: settings.warnings)
    }

    private var place: String { folder ?? "." }

    /// A text encoder of Stable Diffusion XL that the folder's pipeline has not; nil where there is none such.
    private var unnamedEncoder: String? {
        guard let folder, let index = ReleasePiece.settings(Self.index, in: folder) else { return nil }
        return ["text_encoder", "text_encoder_2"].first { Self.className(of: $0, in: index) == nil }
    }

    // MARK: Weights

    /// The components' weights, and what is wrong with them.
    private func parts(_ kind: Kind) -> (parts: [RecognizedRelease.Part], problems: [String]) {
        var (parts, problems): ([RecognizedRelease.Part], [String]) = ([], [])
        for component in kind.weighted {
            if let part = author(component, kind) {
                parts.append(part.part(component))
                problems += part.component.misshapen + [part.component.unreadable].compactMap { $0 }
                continue
            }
            guard let folder else {
                problems.append(missing(component, kind))
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
                let checkpoint = try Checkpoint.open(path)
                parts.append(.init(stem: component, piece: ReleasePiece(.pipelineComponent, checkpoint)))
            } catch { problems.append(error.description) }
        }
        return (parts, problems)
    }

    /// A component in a file of its authors.
    private func author(_ component: String, _ kind: Kind) -> AuthorFiles.Part? {
        switch (component, kind) {
        case ("unet", _), ("transformer", _): authors.network.flatMap { Kind($0.component) == kind ? $0 : nil }
        case ("vae", _): authors.autoencoder
        case ("text_encoder", _): authors.smallTower
        case ("text_encoder_2", .flux), ("text_encoder_3", _): authors.t5
        default: authors.largeTower
        }
    }

    private func missing(_ component: String, _ kind: Kind) -> String {
        let (what, name) =
            switch (component, kind) {
            case ("vae", .sdxl): ("autoencoder", "sdxl_vae.safetensors")
            case ("vae", .sd3): ("autoencoder", "the whole file has it as first_stage_model")
            case ("vae", .flux): ("autoencoder", "ae.safetensors")
            case ("text_encoder", _): ("text encoder CLIP ViT-L", "clip_l.safetensors")
            case ("text_encoder_2", .flux), ("text_encoder_3", _): ("text encoder T5 XXL", "t5xxl_fp16.safetensors")
            default: ("text encoder CLIP ViT-bigG", "clip_g.safetensors")
            }
        return "the network is \(title(kind)); its \(what) is not here: \(name)"
    }

    // MARK: Tokenizers

    /// A tokenizer's files, by the names they get: the folder's own, or such as are in the other folders.
    private func tokenizer(_ name: String, _ kind: Kind) -> [String: String] {
        let places = (folder.map { ["\($0)/\(name)"] } ?? []) + (authors.network == nil ? [] : scan.folders)
        for (index, place) in places.enumerated() {
            let files =
                index == 0 && folder != nil
                ? TokenizerFiles.all(in: place)
                : isUnigram(name, kind) ? TokenizerFiles.unigram(in: place) : TokenizerFiles.bytePairs(in: place)
            if !files.isEmpty { return Dictionary(uniqueKeysWithValues: files.map { ($0, "\(place)/\($0)") }) }
        }
        return [:]
    }

    private func isUnigram(_ tokenizer: String, _ kind: Kind) -> Bool {
        kind != .sdxl && tokenizer == kind.tokenizers.last
    }

    private func missing(tokenizer name: String, _ kind: Kind) -> String {
        if let folder {
            return """
                \(folder)/\(name): has no tokenizer.json, no vocab.json with merges.txt and no spiece.model: fetch it
                """
        }
        return isUnigram(name, kind)
            ? "the network is \(title(kind)); T5's tokenizer is not here: spiece.model or tokenizer.json"
            : "the network is \(title(kind)); CLIP's tokenizer (\(name)) is not here: vocab.json with merges.txt"
    }

    // MARK: Settings

    /// Where the settings of the model come from: files as they are, and what is written.
    private func written(_ kind: Kind) -> (files: [String: String], texts: [String: JSONValue]) {
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
            files[Self.index] = "\(folder)/\(Self.index)"
        } else {
            texts[Self.index] = index(kind)
        }
        guard folder == nil else { return (files, texts) }
        for tokenizer in kind.tokenizers where !isUnigram(tokenizer, kind) {
            // Texts of the larger tower are filled up with "!", id 0.
            let padding = tokenizer == "tokenizer" ? "<|endoftext|>" : "!"
            texts["\(tokenizer)/special_tokens_map.json"] = ["pad_token": .string(padding)]
        }
        return (files, texts)
    }

    /// The classes of the components. The authors' code reads the smaller tower without its projection.
    private func index(_ kind: Kind) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if case .object(let own) = json(".", Self.index) ?? .null { members = own }
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
    private func json(_ component: String, _ file: String) -> JSONValue? {
        if let folder, let data = FileManager.default.contents(atPath: "\(folder)/\(component)/\(file)") {
            return try? JSONValue(json: data)
        }
        guard let network = authors.network, let kind = Kind(network.component) else { return nil }
        let settings = AuthorSettings(kind: kind, pooledWidth: authors.largeTower?.pooledWidth, isTurbo: isTurbo)
        if component == "scheduler" {
            return folder == nil
                ? settings.schedule(of: network.component) : nil
        }
        guard file == "config.json", let part = author(component, kind) else { return nil }
        if component != kind.network, let own = part.piece.settings(), own["d_model"] != nil { return own }
        return settings(part.component, isLargeTower: component == "text_encoder_2")
    }

    private var kind: Kind? {
        if let folder, let index = ReleasePiece.settings(Self.index, in: folder) {
            let classes = ["unet", "transformer"].compactMap { Self.className(of: $0, in: index) }
            return classes.compactMap(Kind.init).first
        }
        return authors.network.flatMap { Kind($0.component) }
    }

    /// What a `model_index.json` says that a component is; nil where it has none.
    private static func className(of component: String, in index: JSONValue) -> String? {
        index[component]?.array?.last?.string
    }

    private func depth(_ kind: Kind) -> Int? { json(kind.network, "config.json")?["num_layers"]?.integer }

    /// Those of 3.5 norm the heads; 3 does not.
    private var normsHeads: Bool { json("transformer", "config.json")?["qk_norm"]?.string == "rms_norm" }

    private var isGuidedByNetwork: Bool {
        json("transformer", "config.json")?["guidance_embeds"] == .bool(true)
    }

    private var isTurbo: Bool { (authors.network?.piece.name ?? place).lowercased().contains("turbo") }

    private func title(_ kind: Kind) -> String {
        switch kind {
        case .sdxl: "Stable Diffusion XL" + (isTurbo ? " turbo" : "")
        case .sd3 where !normsHeads: "Stable Diffusion 3"
        case .sd3: "Stable Diffusion 3.5" + (depth(kind) ?? 0 > 30 ? " large" : "") + (isTurbo ? " turbo" : "")
        case .flux: isGuidedByNetwork ? "FLUX.1 dev" : "FLUX.1 schnell"
        }
    }

    /// What their authors draw with; guidance 1 is none.
    private func sampling(_ kind: Kind) -> (guidance: Double, steps: Int) {
        switch kind {
        case .sdxl where isTurbo: (1, 4)
        case .sdxl: (5, 50)
        case .sd3 where !normsHeads: (5, 50)
        case .sd3 where isTurbo: (1, 4)
        case .sd3: depth(kind) ?? 0 > 30 ? (4.5, 40) : (5, 50)
        case .flux: isGuidedByNetwork ? (3.5, 50) : (1, 4)
        }
    }

    private func configuration(_ kind: Kind) -> JSONValue {
        let (guidance, steps) = sampling(kind)
        let levels = json("vae", "config.json")?["block_out_channels"]?.array?.count ?? 4
        let latents = json(kind.network, "config.json")?["sample_size"]?.integer ?? 128
        // A U-Net halves its latents on every level but one; transformers read them in pairs.
        let halvings = json("unet", "config.json")?["block_out_channels"]?.array?.count ?? 2
        let multiple = 1 << (levels - 1 + halvings - 1)
        // An MMDiT knows no place beyond its table's.
        let known = json("transformer", "config.json")?["pos_embed_max_size"]?.integer.map { $0 * multiple } ?? .max
        let size = wishes.side ?? min(latents << (levels - 1), known)
        var members: [String: JSONValue] = [
            "name": .string(title(kind)), "pipeline": .string(kind.rawValue), "pictureSize": .integer(size),
            "guidance": .number(guidance), "steps": .integer(steps),
            "sides": [
                "multiple": .integer(multiple), "least": .integer(min(256, size)),
                "most": .integer(min(known, 2 * size)),
            ],
        ]
        members["layers"] = depth(kind).map(JSONValue.integer)
        return .object(members)
    }
}

extension PipelineRelease {
    /// Tokens of a prompt that the FLUX.1 in a model's folder reads, as its network tells; nil of every other model.
    static func fluxPrompt(in folder: String) -> Int? {
        let network = Kind.flux.network
        guard let index = ReleasePiece.settings(Self.index, in: folder),
            className(of: network, in: index) == Kind.flux.rawValue,
            let settings = ReleasePiece.settings("\(network)/config.json", in: folder)
        else { return nil }
        return PromptLength.flux(isGuided: settings["guidance_embeds"] == .bool(true))
    }
}
