import Foundation

/// A text tokenizer of any kind that a model reads by: Unigram, as T5's, byte pairs, as Chameleon's, or CLIP's.
package enum TextTokenizer: Sendable {
    case unigram(UnigramTokenizer)
    case byteLevel(ByteLevelTokenizer)
    case clip(CLIPTokenizer)

    /// Reads a `tokenizer.json` of a language model, or a `spiece.model`.
    /// - Parameter path: the file, or the folder in which it lies.
    /// - Throws: `TextTokenizerError` for what is neither.
    package init(path: String) throws {
        let json = path + "/tokenizer.json"
        let file = FileManager.default.fileExists(atPath: json) ? json : path
        let root = FileManager.default.contents(atPath: file)
            .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
        let kind = (root?["model"] as? [String: Any])?["type"] as? String
        self =
            kind == "BPE" ? .byteLevel(try ByteLevelTokenizer(path: file)) : .unigram(try UnigramTokenizer(path: path))
    }

    /// Ids of a text, without any mark.
    package func words(_ text: String) -> [Int32] {
        switch self {
        case .unigram(let tokenizer): Array(tokenizer.encode(text).dropLast())
        case .byteLevel(let tokenizer): tokenizer.encode(text)
        case .clip(let tokenizer): tokenizer.encode(text)
        }
    }

    /// How many marks a text is read with: its end, and CLIP's begin.
    package var marks: Int { if case .clip = self { 2 } else { 1 } }

    /// Ids of a word as it stands amid a text, where byte pairs have the blank before it in their first token.
    package func words(amid text: String) -> [Int32] {
        switch self {
        case .unigram, .clip: words(text)
        case .byteLevel: words(" " + text)
        }
    }

    /// The same tokenizer with placeholders as tokens of their own, numbered from the end of the vocabulary; CLIP's has
    /// none, for concepts are spelled there.
    package func adding(placeholders: [String]) -> TextTokenizer {
        switch self {
        case .unigram(let tokenizer): .unigram(tokenizer.adding(placeholders: placeholders))
        case .byteLevel(let tokenizer): .byteLevel(tokenizer.adding(placeholders: placeholders))
        case .clip: self
        }
    }

    /// Words of a text that are not in the vocabulary; bytes are all in it.
    /// - Parameter unlearnt: words of the vocabulary that are named too.
    package func unlearntWords(in text: String, with unlearnt: [String] = []) -> [String] {
        switch self {
        case .unigram(let tokenizer): tokenizer.unlearntWords(in: text, with: unlearnt)
        case .byteLevel, .clip: []
        }
    }

    /// The id of a token.
    package func identifier(of token: String) -> Int32? {
        switch self {
        case .unigram(let tokenizer): tokenizer.identifier(of: token)
        case .byteLevel(let tokenizer): tokenizer.identifier(of: token)
        case .clip: nil
        }
    }

    /// Ids below this are the file's; placeholders come after.
    package var vocabularySize: Int {
        switch self {
        case .unigram(let tokenizer): tokenizer.vocabularySize
        case .byteLevel(let tokenizer): tokenizer.vocabularySize
        case .clip(let tokenizer): tokenizer.vocabularySize
        }
    }
}
