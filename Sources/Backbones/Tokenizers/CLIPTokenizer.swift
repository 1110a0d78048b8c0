import Foundation

/// CLIP's text tokenizer: clean, lower-case, cut into words, numbers and signs, and byte pair encoding with `</w>` at
/// word ends.
///
/// Reads either of the published forms: the merge list of open_clip's SimpleTokenizer (`bpe_simple_vocab_16e6.txt`,
/// gzipped or not), with that tokenizer's cleaning and its special strings `<start_of_text>` and `<end_of_text>`; or
/// Hugging Face's `tokenizer.json`.
package struct CLIPTokenizer: Sendable {
    private enum Cleaning: Sendable { case openCLIP, huggingFace }

    private let encoding: BytePairEncoding
    private let cleaning: Cleaning
    /// Strings that are one token wherever they occur.
    private let special: [(content: String, id: Int32)]
    package let startID, endID: Int32
    package let vocabularySize: Int

    /// - Throws: `TextTokenizerError` for a file that is neither form.
    package init(path: String) throws {
        guard let file = FileManager.default.contents(atPath: path) else {
            throw TextTokenizerError(path: path, problem: "it cannot be read")
        }
        guard let data = Gzip.isCompressed(file) ? Gzip.expanded(file) : file else {
            throw TextTokenizerError(path: path, problem: "it is a damaged gzip file")
        }
        if data.first == UInt8(ascii: "{") {
            try self.init(json: data, path: path)
        } else {
            try self.init(mergeList: data, path: path)
        }
    }

    /// open_clip's file: a comment line, then pairs, of which the vocabulary of 49,408 takes the first 48,894. Ids
    /// count the byte alphabet, the same with word ends, the merges, and the two marks.
    private init(mergeList data: Data, path: String) throws {
        let most = 49408 - 2 * 256 - 2
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", maxSplits: most + 1).dropFirst()
            .prefix(most)
        let merges = lines.map { $0.split(separator: " ").map(String.init) }
        guard !merges.isEmpty, merges.allSatisfy({ $0.count == 2 }) else {
            throw TextTokenizerError(
                path: path, problem: "a comment line and then two symbols on every line are needed")
        }
        let alphabet = BytePairEncoding.alphabet.map(\.symbol)
        let symbols = alphabet + alphabet.map { $0 + "</w>" } + merges.map { $0[0] + $0[1] }
        let identifiers = Dictionary(
            symbols.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { _, last in last })
        encoding = BytePairEncoding(identifiers: identifiers, merges: merges.map { ($0[0], $0[1]) }, wordEnd: "</w>")
        cleaning = .openCLIP
        (startID, endID) = (Int32(symbols.count), Int32(symbols.count + 1))
        special = [("<start_of_text>", startID), ("<end_of_text>", endID)]
        vocabularySize = symbols.count + 2
    }

    private init(json data: Data, path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        guard let root = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let model = root["model"] as? [String: Any],
            let vocabulary = model["vocab"] as? [String: Int], let listed = model["merges"] as? [Any]
        else { throw problem("a JSON object with a BPE model (vocab, merges) is needed") }
        // Older files write a pair as one string, newer ones as two.
        let merges = listed.compactMap {
            ($0 as? String).map { $0.split(separator: " ").map(String.init) } ?? $0 as? [String]
        }
        guard merges.count == listed.count, merges.allSatisfy({ $0.count == 2 }) else {
            throw problem("every entry of model.merges must be a pair")
        }
        guard let start = vocabulary["<|startoftext|>"], let end = vocabulary["<|endoftext|>"] else {
            throw problem("model.vocab lacks <|startoftext|> or <|endoftext|>")
        }
        encoding = BytePairEncoding(
            identifiers: vocabulary.mapValues(Int32.init), merges: merges.map { ($0[0], $0[1]) },
            wordEnd: model["end_of_word_suffix"] as? String ?? "")
        cleaning = .huggingFace
        (startID, endID) = (Int32(start), Int32(end))
        special = [("<|startoftext|>", startID), ("<|endoftext|>", endID)]
        vocabularySize = (vocabulary.values.max() ?? 0) + 1
    }

    /// Ids of a text, without marks.
    package func encode(_ text: String) -> [Int32] {
        switch cleaning {
        case .openCLIP: words(TextRepair.openCLIP(text), cuttingOutSpecial: true)
        case .huggingFace:
            pieces(text).flatMap {
                $0.id.map { [$0] }
                    ?? words($0.text.precomposedStringWithCanonicalMapping.lowercased(), cuttingOutSpecial: false)
            }
        }
    }

    /// Ids with both marks, at most `length`: a longer text loses its end, not its end mark.
    package func marked(_ text: String, length: Int = 77) -> [Int32] {
        [startID] + encode(text).prefix(length - 2) + [endID]
    }

    /// `marked`, filled up with `padding`: 0 as open_clip, or the end mark as Hugging Face.
    package func padded(_ text: String, length: Int = 77, with padding: Int32 = 0) -> [Int32] {
        let ids = marked(text, length: length)
        return ids + [Int32](repeating: padding, count: length - ids.count)
    }

    /// The text between special strings, and those.
    private func pieces(_ text: String) -> [(text: String, id: Int32?)] {
        var result: [(String, Int32?)] = []
        var rest = Substring(text)
        while let found = special.compactMap({ token in
            rest.range(of: token.content, options: .literal).map { ($0, token.id) }
        })
        .min(by: { $0.0.lowerBound < $1.0.lowerBound }) {
            result += [(String(rest[..<found.0.lowerBound]), nil), ("", found.1)]
            rest = rest[found.0.upperBound...]
        }
        return result + [(String(rest), nil)]
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]

    /// Words of lower-case text: contractions, runs of letters, single digits, runs of anything else but white space.
    private func words(_ text: String, cuttingOutSpecial: Bool) -> [Int32] {
        var ids: [Int32] = []
        var rest = Substring(text).unicodeScalars
        func beginning(with options: [String]) -> String? { options.first { rest.starts(with: $0.unicodeScalars) } }
        func take(_ isIncluded: (Unicode.Scalar) -> Bool) -> Substring { Substring(rest.prefix(while: isIncluded)) }
        while let first = rest.first {
            var word = Substring()
            if cuttingOutSpecial, let token = special.first(where: { rest.starts(with: $0.content.unicodeScalars) }) {
                ids.append(token.id)
                rest = rest.dropFirst(token.content.unicodeScalars.count)
                continue
            } else if let contraction = beginning(with: CLIPTokenizer.contractions) {
                word = Substring(contraction)
            } else if first.isLetter {
                word = take(\.isLetter)
            } else if first.isNumber {
                word = Substring(rest.prefix(1))
            } else if first.properties.isWhitespace {
                rest = rest.dropFirst()
                continue
            } else {
                word = take { !$0.isLetter && !$0.isNumber && !$0.properties.isWhitespace }
            }
            ids += encoding.encode(word)
            rest = rest.dropFirst(word.unicodeScalars.count)
        }
        return ids
    }
}

extension Unicode.Scalar {
    /// Regular expressions' `\p{L}`.
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// `\p{N}`.
    fileprivate var isNumber: Bool {
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }
}
