import Foundation
import Jobs

/// T5's encoder beside another model: its folder of transformers, whole or of the encoder alone.
struct T5Release {
    let piece: ReleasePiece

    /// The first of a width in the files; nil where none is.
    init?(_ scan: ReleaseScan, width: Int?) {
        guard let piece = scan.pieces(.textEncoder).first(where: { Self.width($0) == width }) else { return nil }
        self.piece = piece
    }

    private static func width(_ piece: ReleasePiece) -> Int? {
        piece.shape("shared.weight", "encoder.embed_tokens.weight")?.side(1)
    }

    /// Whether a tensor is the encoder's.
    static func isEncoders(_ name: String) -> Bool { name == "shared.weight" || name.hasPrefix("encoder.") }

    /// Everything that is missing beside its weights.
    var problems: [String] {
        [
            vocabulary == nil ? "\(piece.folder): has neither tokenizer.json nor spiece.model: fetch one of them" : nil,
            piece.settings() == nil ? "\(piece.folder): has no config.json: fetch it" : nil,
        ].compactMap { $0 }
    }

    /// The text tokenizer's file.
    var vocabulary: String? {
        ["tokenizer.json", "spiece.model"].map { "\(piece.folder)/\($0)" }.first {
            FileManager.default.fileExists(atPath: $0)
        }
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
