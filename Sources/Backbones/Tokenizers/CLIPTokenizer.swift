import Checkpoints
import Compression
import Foundation

/// CLIP's text tokenizer: clean, lower-case, cut into words, numbers and signs, and byte pair encoding with `</w>` at
/// word ends.
///
/// Reads either of the published forms: the merge list of open_clip's SimpleTokenizer (`bpe_simple_vocab_16e6.txt`,
/// gzipped or not), with that tokenizer's cleaning and its special strings `<start_of_text>` and `<end_of_text>`; or
/// Hugging Face's `tokenizer.json`, or `vocab.json` and `merges.txt` beside each other.
package struct CLIPTokenizer: Sendable {
    private enum Cleaning: Sendable { case openCLIP, huggingFace }

    private let encoding: BytePairEncoding
    private let cleaning: Cleaning
    /// Strings that are one token wherever they occur, cut out before anything else; open_clip has none.
    private let added: AddedTokens
    /// Those of open_clip, which are one only where a word could begin.
    private let wordMarks: [(content: String, id: Int32)]
    /// Closes a text; where a text tower reads what stands for the whole.
    package let endID: Int32
    /// Opens a text.
    let startID: Int32
    /// What fills a text up to its length.
    package let paddingID: Int32
    /// One more than the largest id.
    package let vocabularySize: Int

    /// - Parameter path: a file, or the folder with Hugging Face's.
    /// - Throws: `TextTokenizerError` for a file that is neither form.
    package init(path: String) throws {
        let vocabulary = path + "/vocab.json"
        if FileManager.default.fileExists(atPath: path + "/tokenizer.json") {
            try self.init(path: path + "/tokenizer.json")
            return
        } else if FileManager.default.fileExists(atPath: vocabulary) {
            try self.init(vocabularyPath: vocabulary, mergesPath: path + "/merges.txt")
            return
        }
        guard let file = FileManager.default.contents(atPath: path) else {
            throw TextTokenizerError(path: path, problem: "it cannot be read")
        }
        guard let data = Inflation.isGzip(file) ? Inflation.expanded(file, .gzip, limit: 64 << 20) : file else {
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
        let lines = Self.lines(of: data).dropFirst().prefix(most)
        let merges = lines.map { $0.split(separator: " ").map(String.init) }
        guard !merges.isEmpty, merges.allSatisfy({ $0.count == 2 }) else {
            throw TextTokenizerError(
                path: path,
                problem: mistakenFile(data) ?? "a comment line and then two symbols on every line are needed")
        }
        let alphabet = BytePairEncoding.alphabet.map(\.symbol)
        let symbols = alphabet + alphabet.map { $0 + "</w>" } + merges.map { $0[0] + $0[1] }
        let identifiers = Dictionary(
            symbols.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { _, last in last })
        encoding = BytePairEncoding(identifiers: identifiers, merges: merges.map { ($0[0], $0[1]) }, wordEnd: "</w>")
        cleaning = .openCLIP
        (startID, endID) = (Int32(symbols.count), Int32(symbols.count + 1))
        paddingID = 0
        added = AddedTokens()
        wordMarks = [("<start_of_text>", startID), ("<end_of_text>", endID)]
        vocabularySize = symbols.count + 2
    }

    private init(json data: Data, path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        guard let root = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let model = root["model"] as? [String: Any],
            let vocabulary = model["vocab"] as? [String: Int], let listed = model["merges"] as? [Any]
        else { throw problem("a JSON object with a BPE model (vocab, merges) is needed") }
        guard let merges = BytePairEncoding.merges(listed) else {
            throw problem("every entry of model.merges must be a pair")
        }
        guard let tokens = AddedTokens.Token.listed(root["added_tokens"]) else {
            throw problem("every entry of added_tokens needs content and id")
        }
        try self.init(
            vocabulary, merges, wordEnd: model["end_of_word_suffix"] as? String ?? "", tokens: tokens, path: path)
    }

    /// Lines that may end as Windows ends them.
    private static func lines(of data: Data) -> [Substring] {
        String(decoding: data, as: UTF8.self).split { $0 == "\n" || $0 == "\r\n" }
    }

    /// The two files of older folders: ids of symbols, and a comment line and the merges.
    private init(vocabularyPath: String, mergesPath: String) throws {
        func contents(_ path: String) throws -> Data {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw TextTokenizerError(path: path, problem: "it cannot be read")
            }
            if let other = mistakenFile(data) { throw TextTokenizerError(path: path, problem: other) }
            return data
        }
        let text = try contents(vocabularyPath)
        guard let vocabulary = try? JSONSerialization.jsonObject(with: text) as? [String: Int] else {
            throw TextTokenizerError(path: vocabularyPath, problem: "a JSON object of ids is needed: fetch it anew")
        }
        let lines = Self.lines(of: try contents(mergesPath)).drop { $0.hasPrefix("#version") }.map(String.init)
        guard let merges = BytePairEncoding.merges(lines), !merges.isEmpty else {
            throw TextTokenizerError(path: mergesPath, problem: "two symbols on every line are needed: fetch it anew")
        }
        try Self.verify(merges, make: vocabulary, path: mergesPath)
        try self.init(vocabulary, merges, wordEnd: "</w>", path: vocabularyPath)
    }

    /// Holds merges against the symbols that they are to make: of a file that was cut short, whose lines are all whole,
    /// the rarer words' are missing, and their ids were never read.
    private static func verify(_ merges: [(String, String)], make vocabulary: [String: Int], path: String) throws {
        let made = Set(merges.map { $0.0 + $0.1 })
        let single = Set(BytePairEncoding.alphabet.flatMap { [$0.symbol, $0.symbol + "</w>"] })
        let others = vocabulary.keys.filter { !single.contains($0) && !$0.hasPrefix("<|") }
        let missing = others.count { !made.contains($0) }
        // Words that were added by hand are few, and small vocabularies are made by hand.
        guard others.count > 100, missing * 50 > others.count else { return }
        throw TextTokenizerError(
            path: path,
            problem: "it makes \(others.count - missing) of the \(others.count) symbols of vocab.json: fetch it anew")
    }

    /// - Parameter listed: the tokens that the file lists; nil of older files, beside which they are listed. A mark
    ///   that is not is one as it is written.
    private init(
        _ vocabulary: [String: Int], _ merges: [(String, String)], wordEnd: String,
        tokens listed: [AddedTokens.Token]? = nil, path: String
    ) throws {
        guard let start = vocabulary["<|startoftext|>"], let end = vocabulary["<|endoftext|>"] else {
            throw TextTokenizerError(path: path, problem: "its vocabulary lacks <|startoftext|> or <|endoftext|>")
        }
        encoding = BytePairEncoding(
            identifiers: vocabulary.mapValues { Int32(clamping: $0) }, merges: merges, wordEnd: wordEnd)
        cleaning = .huggingFace
        (startID, endID) = (Int32(start), Int32(end))
        let settings = try TokenizerSettings(besides: path)
        let (tokens, padding) = (listed ?? settings.addedTokens, settings.padding)
        let marks = ["<|startoftext|>", "<|endoftext|>"] + (padding.map { [$0] } ?? [])
        let unlisted = marks.filter { mark in !tokens.contains { $0.content == mark } }.compactMap { mark in
            vocabulary[mark].map { AddedTokens.Token(content: mark, id: Int32(clamping: $0)) }
        }
        let added = AddedTokens(unlisted + tokens) { CLIPTokenizer.normalizer.normalize($0) }
        self.added = added
        paddingID = padding.flatMap { added.identifier(of: $0) } ?? endID
        wordMarks = []
        vocabularySize = max(vocabulary.values.max() ?? 0, Int(added.lastID ?? 0)) + 1
    }

    /// Ids of a text, without marks.
    package func encode(_ text: String) -> [Int32] {
        added.parts(of: cleaning == .openCLIP ? TextRepair.openCLIP(text) : text).flatMap { part in
            switch part {
            case .token(let id): [id]
            case .text(let text): words(text)
            }
        }
    }

    /// What Hugging Face's does to the text between the tokens.
    private static let normalizer = TextNormalizer.sequence([
        .form(.composed), .replace(pattern: "\\p{White_Space}+", by: " "), .lowercase,
    ])

    /// Ids with both marks, at most `length`: a longer text loses its end, not its end mark.
    package func marked(_ text: String, length: Int = 77) -> [Int32] {
        [startID] + encode(text).prefix(length - 2) + [endID]
    }

    /// `marked`, filled up with `padding`: 0 as open_clip, or the end mark as Hugging Face.
    package func padded(_ text: String, length: Int = 77, with padding: Int32 = 0) -> [Int32] {
        let ids = marked(text, length: length)
        return ids + [Int32](repeating: padding, count: length - ids.count)
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]

    /// Words of lower-case text: contractions, runs of letters, single digits, runs of anything else but white space.
    private func words(_ text: String) -> [Int32] {
        var ids: [Int32] = []
        var rest = Substring(text).unicodeScalars
        func beginning(with options: [String]) -> String? { options.first { rest.starts(with: $0.unicodeScalars) } }
        func take(_ isIncluded: (Unicode.Scalar) -> Bool) -> Substring { Substring(rest.prefix(while: isIncluded)) }
        while let first = rest.first {
            var word = Substring()
            if let mark = wordMarks.first(where: { rest.starts(with: $0.content.unicodeScalars) }) {
                ids.append(mark.id)
                rest = rest.dropFirst(mark.content.unicodeScalars.count)
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
