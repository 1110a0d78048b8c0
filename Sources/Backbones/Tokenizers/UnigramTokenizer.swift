import Checkpoints
import Foundation

/// A text tokenizer that could not be read: which file and what is wrong with it.
package struct TextTokenizerError: Error, CustomStringConvertible {
    /// The file, or the folder that should have it.
    let path: String
    /// What is wrong with it, as the end of a sentence.
    let problem: String
    /// File and problem, in one line.
    package var description: String { "\(path): \(problem)" }

    /// Holds a tokenizer's ids against the table of what reads them: a text with a token beyond it would be no error of
    /// the text.
    /// - Throws: the error, where an id has no row.
    static func verify(ids: Int, rows: Int, path: String) throws(TextTokenizerError) {
        guard ids > rows else { return }
        throw TextTokenizerError(
            path: path,
            problem: "it has \(ids) ids, and the table of what reads them \(rows) rows; give the files of one model")
    }
}

/// A Unigram tokenizer as Hugging Face's `tokenizer.json` describes T5's (Kudo 2018, arXiv 1804.10959): normalize, cut
/// into words that begin with ▁, take the likeliest split of each into pieces, close with the end mark.
package struct UnigramTokenizer: Sendable {
    private struct Piece: Sendable {
        let id: Int32
        let score: Double
    }

    /// By their bytes: as strings, é is the same whether it is written in one scalar or in two.
    private let pieces: [[UInt8]: Piece]
    private let longestPiece: Int
    /// Pieces of one character, the mark of a word's start aside, and of one byte.
    private let letters: Set<Int32>
    /// Whether words are made of parts, as in tables learnt from text, and not whole or spelled.
    private let hasParts: Bool
    private let unknown: Piece
    /// The pieces that unknown characters are spelled in, a byte each; none where they are one unknown piece.
    private let bytePieces: [Int32]
    /// Tokens cut out of the text before anything else: `</s>`, `<pad>`, and concepts' placeholders.
    private var added: AddedTokens
    private let end: Int32?
    private let splitting: WordSplitting
    /// Ids below this are the table's; placeholders come after.
    package let vocabularySize: Int
    private var nextPlaceholder: Int32

    /// Reads a `tokenizer.json` with a Unigram model, or a `spiece.model`.
    /// - Parameter path: the file, or the folder in which it lies under either name.
    /// - Throws: `TextTokenizerError` for what is neither.
    package init(path: String) throws {
        let names = ["/tokenizer.json", "/spiece.model", ""].map { path + $0 }
        let path = names.first { FileManager.default.fileExists(atPath: $0) } ?? path
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TextTokenizerError(path: path, problem: "it cannot be read")
        }
        if data.first == UInt8(ascii: "{") {
            try self.init(json: data, path: path)
        } else {
            try self.init(sentencePiece: data, path: path)
        }
    }

    /// The same, of an encoder whose table has so many rows.
    /// - Throws: `TextTokenizerError`, also where an id has none.
    init(path: String, rows: Int) throws {
        try self.init(path: path)
        try TextTokenizerError.verify(ids: vocabularySize, rows: rows, path: path)
    }

    private init(json data: Data, path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        guard let root = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let model = root["model"] as? [String: Any],
            model["type"] as? String ?? "Unigram" == "Unigram", let vocabulary = model["vocab"] as? [[Any]]
        else { throw problem("a JSON object with a Unigram model is needed") }
        var entries: [(String, Double)] = []
        for entry in vocabulary {
            guard entry.count == 2, let text = entry[0] as? String, let score = entry[1] as? Double else {
                throw problem("every entry of model.vocab must be [piece, score]")
            }
            entries.append((text, score))
        }
        guard let unknownID = model["unk_id"] as? Int, entries.indices.contains(unknownID) else {
            throw problem("model.unk_id is missing")
        }
        guard let tokens = AddedTokens.Token.listed(root["added_tokens"]) else {
            throw problem("every entry of added_tokens needs content and id")
        }
        let added: AddedTokens
        do {
            added = AddedTokens(tokens, normalize: try TextNormalizer.function(root["normalizer"]))
        } catch { throw problem(error.description) }
        guard let splitting = WordSplitting(root["pre_tokenizer"]) else { throw problem(WordSplitting.known) }
        self.init(
            entries: entries, unknown: unknownID, added: added, splitting: splitting,
            spellsBytes: model["byte_fallback"] as? Bool ?? false)
    }

    /// The marks that T5's tokenizer adds to its SentencePiece model; the first has the largest id.
    private static let extraMarks = 100

    private init(sentencePiece data: Data, path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        let model: SentencePieceModel
        do throws(SentencePieceModel.Flaw) { model = try SentencePieceModel(data) } catch {
            throw problem(mistakenFile(data) ?? error.description)
        }
        let map = PrecompiledNormalizer(model.characterMap)
        guard model.characterMap.isEmpty || map != nil else { throw problem("its character map is damaged") }
        let marks = model.marks.map { AddedTokens.Token(content: model.pieces[$0].text, id: Int32($0)) }
        let extra = (0..<Self.extraMarks).map { index in
            AddedTokens.Token(
                content: "<extra_id_\(index)>", id: Int32(model.pieces.count + Self.extraMarks - 1 - index))
        }
        let hasExtra = model.pieces.contains { $0.text == "<extra_id_0>" }
        let tokens = try marks + (hasExtra ? [] : extra) + TokenizerSettings(besides: path).addedTokens
        self.init(
            entries: model.pieces.map { ($0.text, $0.score) }, unknown: model.unknown!,
            added: AddedTokens(tokens) { map?.normalize($0) ?? $0 })
    }

    private init(
        entries: [(String, Double)], unknown: Int, added: AddedTokens, splitting: WordSplitting = WordSplitting(),
        spellsBytes: Bool = false
    ) {
        let pieces = Dictionary(
            entries.enumerated().map { (Array($1.0.utf8), Piece(id: Int32($0), score: $1.1)) },
            uniquingKeysWith: { first, _ in first })
        let bytes = spellsBytes ? Self.bytePieces(pieces) : []
        (self.pieces, bytePieces, self.splitting) = (pieces, bytes, splitting)
        letters = Set(
            entries.indices.filter { entries[$0].0.drop { $0 == "▁" }.count <= 1 }.map { Int32($0) } + bytes)
        hasParts = entries.contains { Self.isPart($0.0) }
        longestPiece = entries.map { $0.0.unicodeScalars.count }.max() ?? 1
        self.unknown = Piece(id: Int32(unknown), score: (entries.map(\.1).min() ?? 0) - 10)
        self.added = added
        end = added.identifier(of: "</s>")
        vocabularySize = max(entries.count, Int((added.lastID ?? -1) + 1))
        nextPlaceholder = Int32(vocabularySize)
    }

    /// Whether a piece is several letters from amid words: neither a word or its beginning, nor a mark or byte.
    private static func isPart(_ piece: String) -> Bool {
        !piece.hasPrefix("▁") && !piece.hasPrefix("<") && piece.count > 1
    }

    /// The ids of `<0x00>` to `<0xFF>`; none where one of them is missing.
    private static func bytePieces(_ pieces: [[UInt8]: Piece]) -> [Int32] {
        let ids = (0..<256).compactMap { byte -> Int32? in
            let digits = String(byte, radix: 16, uppercase: true)
            return pieces[Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8)]?.id
        }
        return ids.count == 256 ? ids : []
    }

    /// The same tokenizer with placeholders as tokens of their own, numbered from the end of the vocabulary: also where
    /// one is written like a mark of the tokenizer's, for a concept may be called `unk`.
    package func adding(placeholders: [String]) -> UnigramTokenizer {
        var result = self
        for placeholder in placeholders where (result.identifier(of: placeholder) ?? 0) < vocabularySize {
            result.added.add(AddedTokens.Token(content: placeholder, id: result.nextPlaceholder))
            result.nextPlaceholder += 1
        }
        return result
    }

    /// The id of a special token or placeholder.
    package func identifier(of token: String) -> Int32? { added.identifier(of: token) }

    /// Token ids of a text, the end mark included.
    package func encode(_ text: String) -> [Int32] { words(text) + (end.map { [$0] } ?? []) }

    private func words(_ text: String) -> [Int32] {
        added.parts(of: text).enumerated().flatMap { index, part -> [Int32] in
            switch part {
            case .token(let id): [id]
            case .text(let text): splitting.words(of: text, isFirst: index == 0).flatMap(best)
            }
        }
    }

    /// The likeliest split of one word (Viterbi); runs of unknown characters are one unknown token, or spelled in
    /// bytes.
    private func best(_ word: [Unicode.Scalar]) -> [Int32] {
        var scores = [Double](repeating: -.infinity, count: word.count + 1)
        var steps = [(from: Int, id: Int32)](repeating: (0, 0), count: word.count + 1)
        scores[0] = 0
        for start in word.indices {
            var text: [UInt8] = []
            var hasSingle = false
            for end in start + 1...min(start + longestPiece, word.count) {
                text += String(word[end - 1]).utf8
                guard let piece = pieces[text] else { continue }
                if end == start + 1 { hasSingle = true }
                if scores[start] + piece.score > scores[end] {
                    (scores[end], steps[end]) = (scores[start] + piece.score, (start, piece.id))
                }
            }
            if !hasSingle, scores[start] + unknown.score > scores[start + 1] {
                (scores[start + 1], steps[start + 1]) = (scores[start] + unknown.score, (start, unknown.id))
            }
        }
        // From the word's end.
        var found: [(part: Range<Int>, id: Int32)] = []
        var at = word.count
        while at > 0 {
            let (from, id) = steps[at]
            if id == unknown.id, let last = found.last, last.id == id {
                found[found.count - 1].part = from..<last.part.upperBound
            } else {
                found.append((from..<at, id))
            }
            at = from
        }
        return found.reversed().flatMap { $0.id == unknown.id ? spelled(word[$0.part]) : [$0.id] }
    }

    /// Unknown characters in bytes, or as the unknown piece.
    private func spelled(_ run: ArraySlice<Unicode.Scalar>) -> [Int32] {
        if bytePieces.isEmpty { return [unknown.id] }
        return String(String.UnicodeScalarView(run)).utf8.map { bytePieces[Int($0)] }
    }

    /// A `tokenizer.json` over whole words and single characters: what a model with a small world of words needs. Read
    /// by `init(path:)`.
    package static func file(words: [String]) throws -> Data {
        let marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
        let letters = Set(words.flatMap { $0.map(String.init) }).sorted()
        let vocabulary = marks + words.sorted().map { ("▁" + $0, -3.0) } + [("▁", -12.0)] + letters.map { ($0, -12.0) }
        let added = marks.enumerated().map { index, mark -> [String: Any] in
            [
                "id": index, "content": mark.0, "special": true, "normalized": false, "single_word": false,
                "lstrip": false, "rstrip": false,
            ]
        }
        let template: [[String: Any]] = [
            ["Sequence": ["id": "A", "type_id": 0]], ["SpecialToken": ["id": "</s>", "type_id": 0]],
        ]
        let root: [String: Any] = [
            "version": "1.0", "added_tokens": added, "normalizer": TextNormalizer.plainWords,
            "pre_tokenizer": [
                "type": "Sequence",
                "pretokenizers": [
                    ["type": "WhitespaceSplit"],
                    ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true],
                ],
            ],
            "post_processor": [
                "type": "TemplateProcessing", "single": template, "pair": template,
                "special_tokens": ["</s>": ["id": "</s>", "ids": [1], "tokens": ["</s>"]]],
            ],
            "model": ["type": "Unigram", "unk_id": 2, "vocab": vocabulary.map { [$0.0, $0.1] as [Any] }],
        ]
        return try JSONSerialization.data(
            withJSONObject: root, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }
}

extension UnigramTokenizer {
    /// Words and signs of a text that the model has no picture of: those it spells letter by letter, or not at all.
    /// Each once, as it is written.
    /// - Parameter unlearnt: words of the vocabulary that it has no picture of either.
    package func unlearntWords(in text: String, with unlearnt: [String] = []) -> [String] {
        let unlearnt = Set(unlearnt.map(words))
        return added.split(text).flatMap { part -> [String] in
            guard case .text(let text) = part else { return [] }
            return text.split { !$0.isLetter && !$0.isNumber && !$0.isSign }.map(String.init)
        }.reduce(into: []) { words, word in
            if isUnlearnt(word, with: unlearnt), !words.contains(word) { words.append(word) }
        }
    }

    private func isUnlearnt(_ word: String, with unlearnt: Set<[Int32]>) -> Bool {
        let ids = words(word)
        if ids.isEmpty || ids.contains(unknown.id) || unlearnt.contains(ids) { return true }
        guard word.count > 1, word.allSatisfy(\.isLetter) else { return false }
        // Where words are made of parts, a letter beside others is a part like any; elsewhere it is the rest of a word
        // that the table has not, however that begins: `cats`, `watercolor`.
        return hasParts ? ids.allSatisfy(letters.contains) : ids.contains(where: letters.contains)
    }
}

extension Character {
    /// Whether it is an emoji or another picture of its own, which a writer means as a word.
    fileprivate var isSign: Bool { unicodeScalars.first?.properties.generalCategory == .otherSymbol }
}
