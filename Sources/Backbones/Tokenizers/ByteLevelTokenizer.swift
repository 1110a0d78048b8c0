import Foundation

/// A byte pair encoding over bytes as Hugging Face's `tokenizer.json` describes Chameleon's and GPT-2's: cut out the
/// added tokens, cut the rest into words (single digits apart, where the file says so), and merge each word's bytes.
package struct ByteLevelTokenizer: Sendable {
    private let encoding: BytePairEncoding
    private let identifiers: [String: Int32]
    private var added: AddedTokens
    private let partsDigits: Bool
    /// Ids below this are the file's; placeholders come after.
    package let vocabularySize: Int
    private var nextPlaceholder: Int32

    /// - Throws: `TextTokenizerError` for what is no such file, or cuts text in a way that is not known.
    package init(path: String) throws {
        func problem(_ text: String) -> TextTokenizerError { TextTokenizerError(path: path, problem: text) }
        guard let data = FileManager.default.contents(atPath: path) else { throw problem("it cannot be read") }
        guard let root = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let model = root["model"] as? [String: Any], model["type"] as? String ?? "BPE" == "BPE",
            let vocabulary = model["vocab"] as? [String: Int], let listed = model["merges"] as? [Any]
        else { throw problem("a JSON object with a BPE model (vocab, merges) is needed") }
        guard let merges = BytePairEncoding.merges(listed) else {
            throw problem("every entry of model.merges must be a pair")
        }
        guard let tokens = AddedTokens.Token.listed(root["added_tokens"]) else {
            throw problem("every entry of added_tokens needs content and id")
        }
        guard let steps = Self.steps(root["pre_tokenizer"]) else {
            throw problem("pre_tokenizer: known are ByteLevel (without a prefix) and Digits before it")
        }
        do {
            added = AddedTokens(tokens, normalize: try TextNormalizer.function(root["normalizer"]))
        } catch { throw problem(error.description) }
        identifiers = vocabulary.mapValues { Int32(clamping: $0) }
        encoding = BytePairEncoding(
            identifiers: identifiers, merges: merges, wordEnd: model["end_of_word_suffix"] as? String ?? "")
        partsDigits = steps.contains("Digits")
        vocabularySize = Int(max(identifiers.values.max() ?? -1, added.lastID ?? -1)) + 1
        nextPlaceholder = Int32(vocabularySize)
    }

    /// The pre-tokenizers' names; nil where one is not known.
    private static func steps(_ settings: Any?) -> [String]? {
        guard let settings = settings as? [String: Any] else { return nil }
        let steps = settings["pretokenizers"] as? [[String: Any]] ?? [settings]
        for (index, step) in steps.enumerated() {
            switch step["type"] as? String {
            case "Digits" where step["individual_digits"] as? Bool == true && index < steps.count - 1: break
            case "ByteLevel"
            where step["add_prefix_space"] as? Bool == false && step["use_regex"] as? Bool != false
                && index == steps.count - 1:
                break
            default: return nil
            }
        }
        return steps.map { $0["type"] as? String ?? "" }
    }

    /// The same tokenizer with placeholders as tokens of their own, numbered from the end of the vocabulary.
    package func adding(placeholders: [String]) -> ByteLevelTokenizer {
        var result = self
        for placeholder in placeholders where (result.added.identifier(of: placeholder) ?? 0) < vocabularySize {
            result.added.add(AddedTokens.Token(content: placeholder, id: result.nextPlaceholder))
            result.nextPlaceholder += 1
        }
        return result
    }

    /// The id of an added token, a placeholder, or any symbol of the vocabulary.
    package func identifier(of token: String) -> Int32? { added.identifier(of: token) ?? identifiers[token] }

    /// Ids of a text, without marks.
    package func encode(_ text: String) -> [Int32] {
        added.parts(of: text).flatMap { part -> [Int32] in
            switch part {
            case .token(let id): [id]
            case .text(let text):
                ByteLevelWords.words(of: text, partsDigits: partsDigits).flatMap { encoding.encode($0) }
            }
        }
    }
}

/// GPT-2's words: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
enum ByteLevelWords {
    /// - Parameter partsDigits: every number stands alone, and what is between numbers is cut by itself.
    static func words(of text: String, partsDigits: Bool) -> [String] {
        let scalars = Array(text.unicodeScalars)
        guard partsDigits else { return cut(scalars[...]) }
        var words: [String] = []
        var start = 0
        for (index, scalar) in scalars.enumerated() where scalar.isNumber {
            words += cut(scalars[start..<index]) + [string(scalars[index...index])]
            start = index + 1
        }
        return words + cut(scalars[start...])
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    private static func cut(_ text: ArraySlice<Unicode.Scalar>) -> [String] {
        var (words, rest): ([String], ArraySlice<Unicode.Scalar>) = ([], text)
        while !rest.isEmpty {
            let length = length(of: rest)
            words.append(string(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return words
    }

    /// How long the first word is.
    private static func length(of text: ArraySlice<Unicode.Scalar>) -> Int {
        if let contraction = contractions.first(where: { text.starts(with: $0) }) { return contraction.count }
        let space = text.first == " " ? 1 : 0
        let word = text.dropFirst(space)
        for isIncluded in [\Unicode.Scalar.isLetter, \.isNumber, \.isSign] {
            let run = word.prefix { $0[keyPath: isIncluded] }.count
            if run > 0 { return space + run }
        }
        let blanks = text.prefix { $0.properties.isWhitespace }.count
        // The last of several blanks belongs to what follows.
        return blanks > 1 && blanks < text.count ? blanks - 1 : blanks
    }
}

extension Unicode.Scalar {
    /// `[^\s\p{L}\p{N}]`.
    fileprivate var isSign: Bool { !isLetter && !isNumber && !properties.isWhitespace }
}
