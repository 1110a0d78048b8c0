import Checkpoints
import Foundation
import Jobs

/// One set of weights of a release, known by the names in it.
package struct ReleasePiece: Sendable {
    /// What it is a part of.
    package enum Kind: String, Sendable, CaseIterable {
        case infinityTransformer = "a transformer of Infinity"
        case bitwiseTokenizer = "a VAE of Infinity"
        case textEncoder = "a T5 encoder"
        case chameleonTransformer = "a transformer of Chameleon"
        case metaChameleon = "a transformer of Chameleon, as Meta ships it"
        case chameleonTokenizer = "a VQGAN of Chameleon"
        case llamaGenTransformer = "a transformer of LlamaGen"
        case llamaGenTokenizer = "a VQ tokenizer of LlamaGen"
        case clip = "a CLIP"
        case dino = "a DINO"
        case lpipsHeads = "the heads of LPIPS"
        case alexNet = "an AlexNet"
        case authorFile = "a file of a diffusion model's authors"
        case pipelineComponent = "a component of a pipeline"
    }

    /// Told by a few of its names, or by where it lies.
    package let kind: Kind
    /// The file, or the folder it lies in.
    package let path: String
    /// The weights, mapped.
    package let checkpoint: Checkpoint

    /// One whose kind is known by where it lies.
    init(_ kind: Kind, _ checkpoint: Checkpoint) {
        (self.kind, path, self.checkpoint) = (kind, checkpoint.path, checkpoint)
    }

    /// Nil where the names are no part's that is known.
    package init?(_ checkpoint: Checkpoint) {
        guard let kind = Kind.allCases.first(where: { $0.claims(checkpoint) }) else { return nil }
        (self.kind, path, self.checkpoint) = (kind, checkpoint.path, checkpoint)
    }

    /// Its file's or folder's name.
    package var name: String { (path as NSString).lastPathComponent }

    /// The folder it lies in, or is.
    package var folder: String { FilePlace.nearestFolder(to: path) }

    /// A folder's or file's own name; in Hugging Face's cache, where a folder's is a digest, the repository's.
    static func usualName(of path: String) -> String {
        let path = URL(fileURLWithPath: path).standardizedFileURL.pathComponents
        let name = path.dropLast(path.dropLast().last == "snapshots" ? 2 : 0).last ?? ""
        return name.hasPrefix("models--") ? name.components(separatedBy: "--").last ?? name : name
    }

    /// A JSON file beside it; nil where there is none.
    package func settings(_ file: String = "config.json") -> JSONValue? { Self.settings(file, in: folder) }

    static func settings(_ file: String, in folder: String) -> JSONValue? {
        FileManager.default.contents(atPath: "\(folder)/\(file)").flatMap { try? JSONValue(json: $0) }
    }

    /// Why there are no settings in a folder; nil where there are.
    static func settingsProblem(_ file: String = "config.json", in folder: String) -> String? {
        let path = "\(folder)/\(file)"
        guard FileManager.default.fileExists(atPath: path) else { return "\(folder): has no \(file): fetch it" }
        guard settings(file, in: folder) == nil else { return nil }
        let found = FileManager.default.contents(atPath: path).flatMap { mistakenFile($0) }
        return "\(path): \(found ?? "is not JSON: fetch it anew")"
    }

    /// A tensor's shape, of the first of several names that is there.
    package func shape(_ names: String...) -> [Int]? {
        names.first(where: checkpoint.contains).flatMap { try? checkpoint.shape(of: $0) }
    }

    /// How many different numbers stand in the names after a prefix.
    package func count(after prefix: String) -> Int {
        checkpoint.names.count(after: prefix)
    }
}

extension ReleasePiece {
    /// That an autoencoder's halves have levels of different number, by what their names begin with: one of them is not
    /// whole, for pictures come out as large as they went in. Nil where they are a pair.
    func halvesProblem(_ encoder: String, _ decoder: String) -> String? {
        let (down, up) = (count(after: encoder), count(after: decoder))
        guard down != up else { return nil }
        return """
            \(path): has \(counted(down, "level")) of an encoder (\(encoder)…) and \(up) of a decoder (\(decoder)…): \
            one of them is not whole; fetch the file anew
            """
    }
}

extension ReleasePiece {
    /// That it has another number of layers than the settings beside it say: a part of it is missing, or they are of
    /// another model. Nil where it has as many, and where they say nothing of it.
    /// - Parameters:
    ///   - prefix: of the layers' names, before their numbers.
    ///   - setting: the number's name in `config.json`.
    func layersProblem(_ prefix: String, _ setting: String) -> String? {
        guard let said = settings()?[setting]?.integer else { return nil }
        let found = count(after: prefix)
        guard found > 0, found != said else { return nil }
        return """
            \(path): has \(counted(found, "layer")) (\(prefix)…), and the config.json beside it says \(said) \
            (\(setting)): fetch what is missing, or the settings of these weights
            """
    }
}

extension ReleasePiece {
    /// Tensors that tell its sizes, and have another shape.
    var misshapen: [String] {
        kind.telling.compactMap { name, rank in
            guard let shape = shape(name), shape.count != rank else { return nil }
            return "\(path): \(name) has the shape \(shape); of \(kind.rawValue) it has \(rank) sides"
        }
    }
}

extension ReleasePiece.Kind {
    /// The kind whose names these are; nil where they are no part's that is known.
    init?(names: Set<String>) {
        guard let kind = Self.allCases.first(where: { $0.claims(names.contains) }) else { return nil }
        self = kind
    }

    /// The tensors that tell sizes, and how many sides they have.
    fileprivate var telling: [(name: String, rank: Int)] {
        switch self {
        case .infinityTransformer: [("word_embed.weight", 2), ("pos_start", 3), ("text_norm.weight", 1)]
        case .textEncoder: [("shared.weight", 2), ("encoder.embed_tokens.weight", 2)]
        case .chameleonTransformer: [("model.embed_tokens.weight", 2)]
        case .chameleonTokenizer, .llamaGenTokenizer: [("quantize.embedding.weight", 2)]
        case .llamaGenTransformer: [("tok_embeddings.weight", 2), ("cls_embedding.uncond_embedding", 2)]
        case .dino: [("pos_embed", 3), ("cls_token", 3), ("patch_embed.proj.weight", 4)]
        default: []
        }
    }

    fileprivate func claims(_ checkpoint: Checkpoint) -> Bool {
        switch self {
        case .metaChameleon: ChameleonShards.isOne(checkpoint)
        case .authorFile: !AuthorComponent.all(in: checkpoint).isEmpty
        default: claims(checkpoint.contains)
        }
    }

    private func claims(_ contains: @escaping (String) -> Bool) -> Bool {
        func all(_ names: String...) -> Bool { names.allSatisfy(contains) }
        func any(_ names: String...) -> Bool { names.contains(where: contains) }
        switch self {
        case .infinityTransformer: return all("text_norm.weight", "word_embed.weight", "pos_start")
        case .bitwiseTokenizer:
            return any("encoder.conv_in.conv.weight", "encoder.conv_in.weight")
                && any("encoder.down.0.block.0.conv1.conv.weight", "encoder.down.0.block.0.conv1.weight")
                && !any("quantize.embedding.weight", "quant_conv.weight", "decoder.mid.attn_1.q.weight")
        case .textEncoder:
            return all("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight")
        case .chameleonTransformer:
            return all("model.embed_tokens.weight", "model.layers.0.self_attn.q_norm.weight")
        case .chameleonTokenizer:
            return all("quantize.embedding.weight", "encoder.down.0.block.0.conv1.weight")
        case .llamaGenTransformer: return all("cls_embedding.uncond_embedding", "tok_embeddings.weight")
        case .llamaGenTokenizer:
            return all("quantize.embedding.weight", "encoder.conv_blocks.0.res.0.conv1.weight")
        case .clip: return all("text_projection.weight", "visual_projection.weight", "logit_scale")
        case .dino:
            return any("cls_token", "embeddings.cls_token", "vit.embeddings.cls_token")
                && any("pos_embed", "embeddings.position_embeddings", "vit.embeddings.position_embeddings")
        case .lpipsHeads: return all("lin0.model.1.weight", "lin4.model.1.weight")
        case .alexNet: return all("features.0.weight", "features.10.weight")
        // Known by several layouts' names, and by where it lies.
        case .metaChameleon, .authorFile, .pipelineComponent: return false
        }
    }
}
