import Checkpoints
import Foundation
import Jobs

/// Stable Diffusion XL, 3 and 3.5, and FLUX.1, as diffusers lays them out: a folder for each component, with its
/// settings and weights.
struct PipelineRelease {
    /// The file that names the components.
    static let index = "model_index.json"

    /// What there are jobs for, by the class of the network.
    enum Kind: String, CaseIterable, Sendable {
        case sdxl = "UNet2DConditionModel"
        case sd3 = "SD3Transformer2DModel"
        case flux = "FluxTransformer2DModel"

        var network: String { self == .sdxl ? "unet" : "transformer" }

        /// Suffixes of the folders of its text encoders and tokenizers.
        private var towers: [String] { self == .sd3 ? ["", "_2", "_3"] : ["", "_2"] }

        /// Components that have weights.
        var weighted: [String] { [network, "vae"] + towers.map { "text_encoder\($0)" } }
        var tokenizers: [String] { towers.map { "tokenizer\($0)" } }

        /// Tokens of a prompt, marks among them.
        var longestPrompt: Int {
            switch self {
            case .sdxl: 77
            case .sd3: 256
            case .flux: 512
            }
        }
    }

    private let folder: String
    private let wishes: ReleaseWishes

    init(_ folder: String, _ wishes: ReleaseWishes) { (self.folder, self.wishes) = (folder, wishes) }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or not built.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        guard let kind else {
            let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnrecognizedRelease(
                problems: ["\(folder)/\(Self.index): its network is of a class that is not built; \(known) are"])
        }
        let (parts, faults) = parts(kind)
        let words = kind.tokenizers.map { ($0, tokenizerFiles($0)) }
        var problems = faults
        problems += words.filter(\.1.isEmpty).map {
            "\(folder)/\($0.0): has no tokenizer.json, no vocab.json with merges.txt and no spiece.model: fetch it"
        }
        if json("scheduler", "scheduler_config.json") == nil {
            problems.append("\(folder)/scheduler: has no scheduler_config.json: fetch it")
        }
        guard problems.isEmpty else { throw UnrecognizedRelease(problems: problems) }
        let settings = kind.weighted.map { "\($0)/config.json" }
        let files = [Self.index, "scheduler/scheduler_config.json"] + settings + words.flatMap(\.1)
        return RecognizedRelease(
            family: .diffusion, title: title(kind), configuration: configuration(kind), parts: parts,
            files: Dictionary(uniqueKeysWithValues: files.map { ($0, "\(folder)/\($0)") }))
    }

    /// The components' weights, and what is wrong with them.
    private func parts(_ kind: Kind) -> (parts: [RecognizedRelease.Part], problems: [String]) {
        var (parts, problems): ([RecognizedRelease.Part], [String]) = ([], [])
        for component in kind.weighted {
            let path = "\(folder)/\(component)"
            if json(component, "config.json") == nil { problems.append("\(path): has no config.json: fetch it") }
            do throws(CheckpointError) {
                let checkpoint = try Checkpoint.open(path)
                parts.append(.init(stem: component, piece: ReleasePiece(.pipelineComponent, checkpoint)))
            } catch { problems.append(error.description) }
        }
        return (parts, problems)
    }

    private func json(_ component: String, _ file: String) -> JSONValue? {
        FileManager.default.contents(atPath: "\(folder)/\(component)/\(file)").flatMap { try? JSONValue(json: $0) }
    }

    private var kind: Kind? {
        let index = json(".", Self.index)
        return ["unet", "transformer"].compactMap { index?[$0]?.array?.last?.string }.compactMap(Kind.init).first
    }

    private func tokenizerFiles(_ component: String) -> [String] {
        let known = [
            "tokenizer.json", "vocab.json", "merges.txt", "spiece.model", "special_tokens_map.json",
            "tokenizer_config.json",
        ]
        let there = known.filter { FileManager.default.fileExists(atPath: "\(folder)/\(component)/\($0)") }
        let reads =
            there.contains("tokenizer.json") || there.contains("spiece.model")
            || (there.contains("vocab.json") && there.contains("merges.txt"))
        return reads ? there.map { "\(component)/\($0)" } : []
    }

    // MARK: Settings

    private func depth(_ kind: Kind) -> Int? { json(kind.network, "config.json")?["num_layers"]?.integer }

    /// Those of 3.5 norm the heads; 3 does not.
    private var normsHeads: Bool { json("transformer", "config.json")?["qk_norm"]?.string == "rms_norm" }

    private var isGuidedByNetwork: Bool {
        json("transformer", "config.json")?["guidance_embeds"] == .bool(true)
    }

    private var isTurbo: Bool { folder.lowercased().contains("turbo") }

    private func title(_ kind: Kind) -> String {
        switch kind {
        case .sdxl: "Stable Diffusion XL"
        case .sd3 where !normsHeads: "Stable Diffusion 3"
        case .sd3: "Stable Diffusion 3.5" + (depth(kind) ?? 0 > 30 ? " large" : "") + (isTurbo ? " turbo" : "")
        case .flux: isGuidedByNetwork ? "FLUX.1 dev" : "FLUX.1 schnell"
        }
    }

    /// What their authors draw with; guidance 1 is none.
    private func sampling(_ kind: Kind) -> (guidance: Double, steps: Int) {
        switch kind {
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
        var members: [String: JSONValue] = [
            "name": .string(title(kind)), "pipeline": .string(kind.rawValue),
            "pictureSize": .integer(wishes.side ?? latents << (levels - 1)), "guidance": .number(guidance),
            "steps": .integer(steps),
        ]
        let patch = 1 << (levels - 1)
        let size = members["pictureSize"]?.integer ?? 1024
        // A U-Net halves its latents on every level but one; transformers read them in pairs.
        let halvings = json("unet", "config.json")?["block_out_channels"]?.array?.count ?? 2
        let multiple = patch << (halvings - 1)
        let positions = json("transformer", "config.json")?["pos_embed_max_size"]?.integer
        members["sides"] = [
            "multiple": .integer(multiple), "least": .integer(min(256, size)),
            "most": .integer(positions.map { min($0 * multiple, 2 * size) } ?? 2 * size),
        ]
        members["layers"] = depth(kind).map(JSONValue.integer)
        return .object(members)
    }
}
