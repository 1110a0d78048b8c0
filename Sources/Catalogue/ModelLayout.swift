import Checkpoints
import Foundation
import Jobs

/// How the files of a model of a family lie in its folder, and what its `config.json` says that a description needs. A
/// published checkpoint of another layout is brought into one of these first.
package struct ModelLayout: Sendable {
    let family: ModelFamily
    /// The files there must be.
    package let files: [String]
    /// Whether a `config.json` is one of this family's.
    let claims: @Sendable (JSONValue) -> Bool
    /// What it says, without the digest.
    let describe: @Sendable (_ name: String, JSONValue) -> ModelDescription

    /// What every model's folder has.
    package static let configuration = "config.json"

    /// All that are known. The first that claims a folder has it.
    package static let all: [ModelLayout] =
        [.infinity, .chameleon, .diffusion, .llamagen, .clip, .dino, .classifier, .lpips]
        + PipelineKind.allCases.map(pipeline)

    /// The layout of a folder, by its `config.json`; nil where no family claims it.
    package static func of(_ configuration: JSONValue) -> ModelLayout? { all.first { $0.claims(configuration) } }

    /// How files of weights end.
    static let containers = [".safetensors", ".pth", ".pt", ".bin", ".ckpt"]

    /// How the names begin of what training programs (transformers' Trainer, accelerate) leave beside the weights.
    private static let trainingStates = ["optimizer", "scheduler", "scaler", "rng_state", "training_args"]

    /// Whether a file is one of weights, by its name.
    static func isWeights(_ name: String) -> Bool {
        containers.contains { name.hasSuffix($0) } && !isOfTraining(name)
    }

    /// Whether a file is what a training program leaves beside the weights, by its name.
    static func isOfTraining(_ name: String) -> Bool { trainingStates.contains { name.hasPrefix($0) } }

    /// What is said of the files that are not there, and of links in their places that lead nowhere.
    func missing(in folder: String) -> [String] {
        files.compactMap { name -> String? in
            let places = Self.places(of: name)
            guard places.allSatisfy({ access("\(folder)/\($0)", R_OK) != 0 }) else { return nil }
            for place in places {
                if let link = FilePlace.brokenLink(at: "\(folder)/\(place)") { return "\(place): \(link)" }
            }
            return "\(name): is missing or cannot be read"
        }
    }

    /// Where a file may lie. Weights may be in any container, or in shards that an index names, and a text tokenizer in
    /// the other forms it is published in.
    private static func places(of name: String) -> [String] {
        var places = [name]
        if let folder = name.hasSuffix("tokenizer.json") ? name.dropLast("tokenizer.json".count) : nil {
            places += ["spiece.model", "vocab.json"].map { folder + $0 }
        }
        if let stem = name.hasSuffix(".safetensors") ? name.dropLast(".safetensors".count) : nil {
            places += ["\(name).index.json", String(stem)] + containers.map { stem + $0 }
        }
        return places
    }

    /// The layout of a family; of several the first.
    package static func of(_ family: ModelFamily) -> ModelLayout { all.first { $0.family == family }! }

    /// Of a family's layouts the one that a folder's `config.json` is of; the first where it is none's.
    package static func of(_ family: ModelFamily, in folder: String) -> ModelLayout {
        let settings = FileManager.default.contents(atPath: "\(folder)/\(configuration)")
        guard let json = settings.flatMap({ try? JSONValue(json: $0) }), let own = of(json), own.family == family
        else { return of(family) }
        return own
    }
}

extension ModelLayout {
    private static let pocketEncoders = ModelDescription.Encoders(clip: "pocket-clip", dino: "pocket-dino")

    static let infinity = ModelLayout(
        family: .infinity,
        files: [
            configuration, "tokenizer.json", "tokenizer.safetensors", "text_encoder.safetensors",
            "transformer.safetensors",
        ],
        claims: { $0["schedule"] != nil },
        describe: { name, configuration in
            let transformer = configuration["transformer"]
            return ModelDescription(
                family: .infinity, name: name, pictures: sizes(configuration),
                limits: .init(
                    promptTokens: transformer?["textLength"]?.integer,
                    scales: configuration["schedule"]?["sides"]?.array?.count,
                    layers: transformer?["depth"]?.integer),
                encoders: pocketEncoders,
                sampling: members(
                    ["guidance": "guidance", "temperature": "temperature", "top_p": "topP"], of: configuration),
                digest: "")
        })

    static let chameleon = ModelLayout(
        family: .chameleon,
        files: [configuration, "tokenizer.json", "tokenizer.safetensors", "transformer.safetensors"],
        claims: { $0["vocabulary"] != nil },
        describe: { name, configuration in
            let transformer = configuration["transformer"]
            return ModelDescription(
                family: .chameleon, name: name, pictures: sizes(configuration),
                limits: .init(
                    promptTokens: chameleonPrompt(configuration), tokensPerConcept: 1,
                    layers: transformer?["depth"]?.integer, codes: configuration["vocabulary"]?["codes"]?.integer),
                encoders: pocketEncoders,
                sampling: members(
                    ["guidance": "guidance", "temperature": "temperature", "top_k": "topK"], of: configuration),
                digest: "")
        })

    /// A prompt shares the sequence with the picture and the marks of both; its own end mark is not in there.
    private static func chameleonPrompt(_ configuration: JSONValue) -> Int? {
        let tokenizer = configuration["tokenizer"]
        guard let length = configuration["transformer"]?["longestSequence"]?.integer,
            let size = configuration["pictureSize"]?.integer, let stages = tokenizer?["multipliers"]?.array?.count,
            stages > 0
        else { return nil }
        let side = size / ((tokenizer?["pixelBlock"]?.integer ?? 1) << (stages - 1))
        return length - ChameleonRelease.places(rows: side, columns: side) + 1
    }

    static let diffusion = ModelLayout(
        family: .diffusion,
        files: [
            configuration, "tokenizer.json", "autoencoder.safetensors", "text_encoder.safetensors",
            "transformer.safetensors",
        ],
        claims: { $0["autoencoder"] != nil && $0["transformer"] != nil },
        describe: { name, configuration in
            ModelDescription(
                family: .diffusion, name: name, pictures: [square(configuration["pictureSize"])],
                limits: .init(
                    promptTokens: configuration["textLength"]?.integer,
                    layers: configuration["transformer"]?["num_layers"]?.integer),
                encoders: pocketEncoders,
                sampling: members(["guidance": "guidance", "steps": "steps"], of: configuration), digest: "")
        })

    /// A diffusion model as diffusers lays it out, its weights beside the folders of its components.
    static func pipeline(_ kind: PipelineKind) -> ModelLayout {
        ModelLayout(
            family: .diffusion,
            files: [configuration, PipelineRelease.index, "scheduler/scheduler_config.json"]
                + kind.weighted.flatMap { ["\($0).safetensors", "\($0)/config.json"] }
                + kind.tokenizers.map { "\($0)/tokenizer.json" },
            claims: { $0["pipeline"]?.string == kind.rawValue },
            describe: { name, configuration in
                ModelDescription(
                    family: .diffusion, name: name, pictures: [square(configuration["pictureSize"])],
                    sides: configuration["sides"].flatMap { try? JSONDecoder().decode(Sides.self, from: $0.line) },
                    limits: .init(
                        promptTokens: kind.longestPrompt, layers: configuration["layers"]?.integer),
                    encoders: pocketEncoders,
                    sampling: members(["guidance": "guidance", "steps": "steps"], of: configuration), digest: "")
            })
    }

    static let llamagen = ModelLayout(
        family: .llamagen,
        files: [
            configuration, "tokenizer.json", "tokenizer.safetensors", "text_encoder.safetensors",
            "transformer.safetensors",
        ],
        claims: { $0["transformer"]?["cls_token_num"] != nil },
        describe: { name, configuration in
            let transformer = configuration["transformer"]
            return ModelDescription(
                family: .llamagen, name: name, pictures: [square(configuration["pictureSize"])],
                limits: .init(
                    promptTokens: transformer?["cls_token_num"]?.integer, layers: transformer?["n_layer"]?.integer,
                    codes: transformer?["vocab_size"]?.integer),
                encoders: pocketEncoders,
                sampling: members(
                    ["guidance": "guidance", "temperature": "temperature", "top_k": "topK"], of: configuration),
                digest: "")
        })

    static let clip = ModelLayout(
        family: .clip, files: [configuration, "tokenizer.json", "model.safetensors"],
        claims: { $0["text_config"] != nil && $0["vision_config"] != nil },
        describe: { name, configuration in
            ModelDescription(
                family: .clip, name: name, pictures: [square(configuration["vision_config"]?["image_size"])],
                limits: .init(promptTokens: configuration["text_config"]?["max_position_embeddings"]?.integer),
                digest: "")
        })

    static let dino = ModelLayout(
        family: .dino, files: [configuration, "model.safetensors"],
        claims: { $0["patch_size"] != nil && $0["image_size"] != nil && $0["text_config"] == nil },
        describe: { name, configuration in
            ModelDescription(
                family: .dino, name: name, pictures: [square(configuration["image_size"])], digest: "")
        })

    static let classifier = ModelLayout(
        family: .classifier, files: [configuration, "classifier.safetensors"], claims: { $0["labels"] != nil },
        describe: { name, configuration in
            ModelDescription(
                family: .classifier, name: name, pictures: [square(configuration["pictureSize"])], digest: "")
        })

    static let lpips = ModelLayout(
        family: .lpips, files: [configuration], claims: { $0["architecture"] == "lpips" },
        describe: { name, _ in ModelDescription(family: .lpips, name: name, pictures: [], digest: "") })

    private typealias Sides = ModelDescription.Sides

    /// Those a `config.json` lists, each [width, height]; or its square alone.
    private static func sizes(_ configuration: JSONValue) -> [ModelDescription.Size] {
        let listed = (configuration["sizes"]?.array ?? []).compactMap { size -> ModelDescription.Size? in
            guard let sides = size.array?.compactMap(\.integer), sides.count == 2 else { return nil }
            return .init(width: sides[0], height: sides[1])
        }
        return listed.isEmpty ? [square(configuration["pictureSize"])] : listed
    }

    private static func square(_ side: JSONValue?) -> ModelDescription.Size {
        // Published encoders leave out what is the default of their library.
        let side = side?.integer ?? 224
        return .init(width: side, height: side)
    }

    private static func members(_ names: [String: String], of configuration: JSONValue) -> [String: JSONValue] {
        names.compactMapValues { configuration[$0] }
    }
}
