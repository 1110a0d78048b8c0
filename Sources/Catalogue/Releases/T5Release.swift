import Foundation
import Jobs

/// T5's encoder beside another model: its folder of transformers, whole or of the encoder alone.
struct T5Release {
    let piece: ReleasePiece
    /// The text tokenizer's file: beside the weights, or in another folder that was given.
    let vocabulary: String?

    /// The first of a width in the files; nil where none is.
    init?(_ scan: ReleaseScan, width: Int?) {
        guard let piece = scan.pieces(.textEncoder).first(where: { Self.width($0) == width }) else { return nil }
        self.piece = piece
        vocabulary = Self.vocabulary(in: piece.folder, scan)
    }

    private static func vocabulary(in folder: String, _ scan: ReleaseScan) -> String? {
        let beside = ["tokenizer.json", "spiece.model"].map { "\(folder)/\($0)" }
        return beside.first { FileManager.default.fileExists(atPath: $0) }
            ?? scan.folders.lazy.compactMap { folder in
                TokenizerFiles.unigram(in: folder).first.map { "\(folder)/\($0)" }
            }.first
    }

    /// What is missing beside a T5 encoder of which not all shards can be read; nil where there is none.
    static func missingBesideUnread(_ scan: ReleaseScan) -> [String]? {
        guard let folder = scan.unread.first(where: { $0.kind == .textEncoder })?.folder else { return nil }
        return ["\(folder): is a T5 encoder, of whose shards not all can be read"]
            + missing(in: folder, vocabulary(in: folder, scan))
    }

    private static func missing(in folder: String, _ vocabulary: String?) -> [String] {
        [
            vocabulary == nil ? "\(folder): has neither tokenizer.json nor spiece.model: fetch one of them" : nil,
            ReleasePiece.settingsProblem(in: folder),
        ].compactMap { $0 }
    }

    /// The encoders that are there and do not fit, for who says that one is missing.
    static func others(_ scan: ReleaseScan) -> String {
        let all = scan.pieces(.textEncoder).map { "\($0.name), of width \(width($0) ?? 0)," }
        return all.isEmpty ? "" : " (\(all.joined(separator: " ")) does not belong to it)"
    }

    private static func width(_ piece: ReleasePiece) -> Int? {
        piece.shape("shared.weight", "encoder.embed_tokens.weight")?.side(1)
    }

    /// Whether a tensor is the encoder's.
    static func isEncoders(_ name: String) -> Bool { name == "shared.weight" || name.hasPrefix("encoder.") }

    /// Everything that is missing beside its weights.
    var problems: [String] {
        Self.missing(in: piece.folder, vocabulary)
            + [piece.layersProblem("encoder.block.", "num_layers")].compactMap { $0 }
    }

    /// The tokenizer's file by the name it gets.
    var files: [String: String] {
        vocabulary.map { [($0 as NSString).lastPathComponent: $0] } ?? [:]
    }

    var part: RecognizedRelease.Part { .init(stem: "text_encoder", piece: piece, isTaken: Self.isEncoders) }

    /// transformers' settings with the table's real rows.
    var configuration: JSONValue {
        guard case .object(var members) = piece.settings() ?? [:] else { return [:] }
        if let rows = piece.shape("shared.weight", "encoder.embed_tokens.weight")?.side(0) {
            members["vocab_size"] = .integer(rows)
        }
        return .object(members)
    }
}
