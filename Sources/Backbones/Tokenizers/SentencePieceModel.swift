import Foundation

/// A `spiece.model`: SentencePiece's own file, a protocol buffer (github.com/google/sentencepiece,
/// `sentencepiece_model.proto`).
struct SentencePieceModel {
    /// The pieces and the logarithms of their probabilities, in the order of their ids.
    private(set) var pieces: [(text: String, score: Double)] = []
    /// Ids of what text never becomes by itself: marks.
    private(set) var marks: [Int] = []
    private(set) var unknown: Int?
    /// The character map, as `PrecompiledNormalizer` reads it.
    private(set) var characterMap = Data()
    /// 1 is Unigram, 2 is BPE.
    private var kind: UInt64 = 1

    /// What is wrong with a file.
    struct Flaw: Error { let description: String }

    /// - Throws: `Flaw` for a damaged file or one of another kind than Unigram.
    init(_ data: Data) throws(Flaw) {
        do throws(ProtobufFields.Damage) { try read(data) } catch {
            throw Flaw(description: "it is neither a tokenizer.json nor a SentencePiece model, or damaged")
        }
        guard kind == 1 else { throw Flaw(description: "its model is of kind \(kind); Unigram (1) is needed") }
        guard !pieces.isEmpty, unknown != nil else { throw Flaw(description: "it has no pieces or no unknown one") }
    }

    private mutating func read(_ data: Data) throws(ProtobufFields.Damage) {
        var fields = ProtobufFields(data)
        while let (field, value) = try fields.next() {
            guard case .bytes(let bytes) = value else { continue }
            switch field {
            case 1: try addPiece(bytes)
            case 2: try readTraining(bytes)
            case 3: try readNormalizer(bytes)
            default: break
            }
        }
    }

    private mutating func addPiece(_ data: Data) throws(ProtobufFields.Damage) {
        var fields = ProtobufFields(data)
        var (text, score, kind): (String, Float, UInt64) = ("", 0, 1)
        while let (field, value) = try fields.next() {
            switch (field, value) {
            case (1, .bytes(let bytes)): text = String(decoding: bytes, as: UTF8.self)
            case (2, .bits32(let bits)): score = Float(bitPattern: bits)
            case (3, .number(let number)): kind = number
            default: break
            }
        }
        // 2 is the unknown piece, 3 a control mark.
        if kind == 2 { unknown = pieces.count }
        if kind == 2 || kind == 3 { marks.append(pieces.count) }
        pieces.append((text, Double(score)))
    }

    private mutating func readTraining(_ data: Data) throws(ProtobufFields.Damage) {
        var fields = ProtobufFields(data)
        while let (field, value) = try fields.next() {
            if field == 3, case .number(let number) = value { kind = number }
        }
    }

    private mutating func readNormalizer(_ data: Data) throws(ProtobufFields.Damage) {
        var fields = ProtobufFields(data)
        while let (field, value) = try fields.next() {
            if field == 2, case .bytes(let bytes) = value { characterMap = bytes }
        }
    }
}
