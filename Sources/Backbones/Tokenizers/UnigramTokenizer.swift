import Foundation

/// A text tokenizer that could not be read: which file and what is wrong with it.
package struct TextTokenizerError: Error, CustomStringConvertible {
    package let path: String
    package let problem: String
    package var description: String { "\(path): \(problem)" }
}

/// A Unigram tokenizer as Hugging Face's `tokenizer.json` describes T5's (Kudo 2018, arXiv 1804.10959): normalize,
/// split at white space, mark word starts with ▁, take the likeliest split into pieces, close with the end mark.
package struct UnigramTokenizer: Sendable {
    private struct Piece: Sendable {
        let id: Int32
        let score: Double
    }

    private let pieces: [String: Piece]
    private let longestPiece: Int
    private let unknown: Piece
    /// Tokens cut out of the text before anything else: `</s>`, `<pad>`, and concepts' placeholders.
    private var special: [(content: String, id: Int32)]
    private let end: Int32?
    private let normalizer: TextNormalizer?
    /// Ids below this are the table's; placeholders come after.
    package let vocabularySize: Int
    private var nextPlaceholder: Int32

    /// Reads a `tokenizer.json` with a Unigram model.
    package init(path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        guard let data = FileManager.default.contents(atPath: path) else { throw problem("it cannot be read") }
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
        let added = (root["added_tokens"] as? [[String: Any]] ?? []).compactMap { token -> (String, Int32)? in
            guard let content = token["content"] as? String, let id = token["id"] as? Int else { return nil }
            return (content, Int32(id))
        }
        var normalizer: TextNormalizer?
        if let settings = root["normalizer"] as? [String: Any] {
            do { normalizer = try TextNormalizer(settings) } catch { throw problem(error.description) }
        }
        self.init(
            entries: entries, unknown: unknownID, special: added, end: added.first { $0.0 == "</s>" }?.1,
            normalizer: normalizer)
    }

    private init(
        entries: [(String, Double)], unknown: Int, special: [(String, Int32)], end: Int32?, normalizer: TextNormalizer?
    ) {
        pieces = Dictionary(
            entries.enumerated().map { ($1.0, Piece(id: Int32($0), score: $1.1)) },
            uniquingKeysWith: { first, _ in first })
        longestPiece = entries.map { $0.0.unicodeScalars.count }.max() ?? 1
        self.unknown = Piece(id: Int32(unknown), score: (entries.map(\.1).min() ?? 0) - 10)
        self.special = special.map { (content: $0.0, id: $0.1) }
        self.end = end
        self.normalizer = normalizer
        vocabularySize = max(entries.count, Int((special.map(\.1).max() ?? -1) + 1))
        nextPlaceholder = Int32(vocabularySize)
    }

    /// The same tokenizer with placeholders as tokens of their own, numbered from the end of the vocabulary: also where
    /// one is written like a mark of the tokenizer's, for a concept may be called `unk`.
    package func adding(placeholders: [String]) -> UnigramTokenizer {
        var result = self
        for placeholder in placeholders where (result.identifier(of: placeholder) ?? 0) < vocabularySize {
            result.special.insert((content: placeholder, id: result.nextPlaceholder), at: 0)
            result.nextPlaceholder += 1
        }
        return result
    }

    /// The id of a special token or placeholder.
    package func identifier(of token: String) -> Int32? { special.first { $0.content == token }?.id }

    /// Token ids of a text, the end mark included.
    package func encode(_ text: String) -> [Int32] {
        var ids: [Int32] = []
        var rest = Substring(text)
        while let found = firstSpecial(in: rest) {
            ids += plain(rest[..<found.range.lowerBound]) + [found.id]
            rest = rest[found.range.upperBound...]
        }
        return ids + plain(rest) + (end.map { [$0] } ?? [])
    }

    private func firstSpecial(in text: Substring) -> (range: Range<Substring.Index>, id: Int32)? {
        special.compactMap { token in text.range(of: token.content, options: .literal).map { ($0, token.id) } }
            .min { ($0.0.lowerBound, $1.0.upperBound) < ($1.0.lowerBound, $0.0.upperBound) }
    }

    private func plain(_ text: Substring) -> [Int32] {
        let normalized = normalizer?.normalize(String(text)) ?? String(text)
        let words = normalized.unicodeScalars.split { $0.properties.isWhitespace }
        return words.flatMap { word in best(Array("▁".unicodeScalars) + Array(word)) }
    }

    /// The likeliest split of one word (Viterbi); runs of unknown characters are one unknown token.
    private func best(_ word: [Unicode.Scalar]) -> [Int32] {
        var scores = [Double](repeating: -.infinity, count: word.count + 1)
        var steps = [(from: Int, id: Int32)](repeating: (0, 0), count: word.count + 1)
        scores[0] = 0
        for start in word.indices {
            var text = String.UnicodeScalarView()
            var hasSingle = false
            for end in start + 1...min(start + longestPiece, word.count) {
                text.append(word[end - 1])
                guard let piece = pieces[String(text)] else { continue }
                if end == start + 1 { hasSingle = true }
                if scores[start] + piece.score > scores[end] {
                    (scores[end], steps[end]) = (scores[start] + piece.score, (start, piece.id))
                }
            }
            if !hasSingle, scores[start] + unknown.score > scores[start + 1] {
                (scores[start + 1], steps[start + 1]) = (scores[start] + unknown.score, (start, unknown.id))
            }
        }
        var ids: [Int32] = []
        var at = word.count
        while at > 0 {
            if steps[at].id != unknown.id || ids.last != unknown.id { ids.append(steps[at].id) }
            at = steps[at].from
        }
        return ids.reversed()
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
