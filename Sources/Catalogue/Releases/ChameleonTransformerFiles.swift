import Checkpoints
import Foundation
import Jobs

/// Chameleon's transformer in whichever layout it came, seen as transformers' is.
struct ChameleonTransformerFiles {
    /// The file or folder, for people.
    let piece: ReleasePiece
    /// What `config.json` says, or would say.
    let settings: JSONValue?
    /// The text tokenizer's file.
    let vocabulary: String?
    /// What is missing beside the weights.
    let problems: [String]
    let part: RecognizedRelease.Part
    /// Whether it is Meta's own, which was not taught the tokens of sizes and rows.
    let isMetas: Bool
    private let shapes: @Sendable (String) -> [Int]?
    let depth: Int

    /// A tensor's shape under transformers' name.
    func shape(_ name: String) -> [Int]? { shapes(name) }

    /// The text tokenizer's file: beside the weights, or in another folder that was given, for the authors' code reads
    /// one for all its models.
    private static func words(in folder: String, _ scan: ReleaseScan) -> String? {
        let beside = "\(folder)/tokenizer.json"
        return FileManager.default.fileExists(atPath: beside)
            ? beside : TokenizerFiles.chameleons(in: [folder] + scan.folders)
    }

    /// What transformers' folder lacks beside its weights.
    static func missing(in folder: String, _ scan: ReleaseScan) -> [String] {
        [
            ReleasePiece.settingsProblem(in: folder),
            words(in: folder, scan).map(wordsProblem)
                ?? """
                \(folder): has no tokenizer.json, nor is another Lumina-mGPT's or Meta's text_tokenizer.json given: \
                fetch one of them
                """,
        ].compactMap { $0 }
    }

    /// Why a file is no text tokenizer of Chameleon's; nil where it is one.
    private static func wordsProblem(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return "\(path): cannot be read" }
        if let found = mistakenFile(data) { return "\(path): \(found)" }
        guard (try? JSONSerialization.jsonObject(with: data)) is [String: Any] else {
            return "\(path): is not JSON: fetch it anew"
        }
        // Every prompt would be read as other words.
        guard data.range(of: Data("<extra_id_0>".utf8)) != nil else { return nil }
        return "\(path): is T5's text tokenizer, not Chameleon's: fetch it anew"
    }

    /// transformers' folder; nil where there is none.
    init?(hub scan: ReleaseScan) {
        guard let piece = scan.pieces(.chameleonTransformer).first else { return nil }
        self.piece = piece
        settings = piece.settings()
        vocabulary = Self.words(in: piece.folder, scan)
        problems = Self.missing(in: piece.folder, scan)
        part = .init(stem: "transformer", piece: piece, isTaken: { !$0.hasPrefix("model.vqmodel.") })
        isMetas = false
        shapes = { piece.shape($0) }
        depth = piece.count(after: "model.layers.")
    }

    /// Meta's shards; nil where there are none.
    init?(meta scan: ReleaseScan) {
        let pieces = scan.pieces(.metaChameleon).sorted { $0.path < $1.path }
        guard let piece = pieces.first else { return nil }
        self.piece = piece
        let words = scan.folders.map { "\($0)/text_tokenizer.json" }.first {
            FileManager.default.fileExists(atPath: $0)
        }
        vocabulary = words
        let metas = MetaSettings(piece, shards: pieces.count, vocabulary: words)
        settings = metas.json
        let shards = ChameleonShards(pieces.map(\.checkpoint), heads: metas.heads, keyHeads: metas.keyHeads)
        var problems = metas.problems
        if words == nil {
            problems.append("\(piece.folder): text_tokenizer.json is not here (Meta has it in data/tokenizer/)")
        }
        // Headers alone are read; what does not fit is said now.
        var found: [String: [Int]] = [:]
        if metas.problems.isEmpty {
            do throws(CheckpointError) {
                for tensor in try shards.tensors() { found[tensor.name] = tensor.shape }
            } catch { problems.append(error.description) }
        }
        self.problems = problems
        let names = found
        shapes = { names[$0] }
        part = .init(
            stem: "transformer", piece: piece,
            rearranged: { () throws(CheckpointError) in try shards.tensors() })
        isMetas = true
        depth = shards.depth
    }
}

/// Meta's `params.json`, with `consolidate_params.json` where that is.
private struct MetaSettings {
    let json: JSONValue?
    let problems: [String]
    let heads, keyHeads: Int

    init(_ piece: ReleasePiece, shards: Int, vocabulary: String?) {
        let file = "\(piece.folder)/params.json"
        guard case .object(var members) = piece.settings("params.json") ?? .null else {
            (json, heads, keyHeads) = (nil, 0, 0)
            problems = ["\(file): is missing or no JSON object: fetch it"]
            return
        }
        if case .object(let more) = piece.settings("consolidate_params.json") ?? .null {
            members.merge(more) { $1 }
        }
        let model = members["model"] ?? .object(members)
        heads = model["n_heads"]?.integer ?? 0
        keyHeads = model["n_kv_heads"]?.integer ?? heads
        let parallel = members["model_parallel_size"]?.integer ?? model["model_parallel_size"]?.integer ?? shards
        problems = [
            heads <= 0 ? "\(file): lacks n_heads" : nil,
            parallel != shards
                ? "\(piece.folder): \(parallel) files belong together (consolidated.00.pth …), \(shards) are here"
                : nil,
        ].compactMap { $0 }
        let base = model["rope_theta"]?.double ?? 10000
        json = [
            "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(keyHeads),
            "swin_norm": model["swin_norm"] ?? false, "rms_norm_eps": model["norm_eps"] ?? 0.00001,
            "rope_theta": .number(base), "max_position_embeddings": base > 10000 ? 16384 : 4096,
            "vocabulary_map": Self.map(vocabulary),
        ]
    }

    private static func map(_ vocabulary: String?) -> JSONValue {
        vocabulary.flatMap { FileManager.default.contents(atPath: $0) }.flatMap { try? JSONValue(json: $0) }?["model"]?[
            "vocab"] ?? [:]
    }
}
