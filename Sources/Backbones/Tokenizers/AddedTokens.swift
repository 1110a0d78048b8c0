/// Tokens that are cut out of a text before anything else is done with it: marks, and concepts' placeholders. As in
/// Hugging Face's tokenizers the leftmost is taken, and of those the longest.
struct AddedTokens: Sendable {
    /// One of them, and what it takes of the text around it.
    struct Token: Sendable {
        let content: String
        let id: Int32
        /// Blanks before and after it belong to it (`lstrip`, `rstrip`).
        var takesBlanksBefore = false
        var takesBlanksAfter = false
        /// It is none within a word (`single_word`).
        var isWholeWord = false
    }

    /// A part of a text.
    enum Part: Equatable {
        case text(String)
        case token(Int32)
    }

    private var byContent: [String: Token] = [:]
    private var byFirst: [Unicode.Scalar: [[Unicode.Scalar]]] = [:]

    init(_ tokens: [Token] = []) { for token in tokens { add(token) } }

    /// The `added_tokens` of a `tokenizer.json`; nil where one has no content or id.
    init?(_ list: [[String: Any]]) {
        for entry in list {
            guard let content = entry["content"] as? String, let id = entry["id"] as? Int else { return nil }
            func flag(_ name: String) -> Bool { entry[name] as? Bool ?? false }
            add(
                Token(
                    content: content, id: Int32(clamping: id), takesBlanksBefore: flag("lstrip"),
                    takesBlanksAfter: flag("rstrip"), isWholeWord: flag("single_word")))
        }
    }

    /// Adds a token; one of the same content gives way.
    mutating func add(_ token: Token) {
        let scalars = Array(token.content.unicodeScalars)
        guard let first = scalars.first else { return }
        if byContent.updateValue(token, forKey: token.content) == nil {
            byFirst[first, default: []].append(scalars)
            byFirst[first]!.sort { $0.count > $1.count }
        }
    }

    /// The id of a token.
    func identifier(of content: String) -> Int32? { byContent[content]?.id }
    /// The largest id, or nil where there are none.
    var lastID: Int32? { byContent.values.map(\.id).max() }

    /// The text between the tokens, and those, in order; no empty text.
    func split(_ text: String) -> [Part] {
        let scalars = Array(text.unicodeScalars)
        var parts: [Part] = []
        var (start, place) = (0, 0)
        while place < scalars.count {
            guard let (token, length) = token(at: place, in: scalars) else {
                place += 1
                continue
            }
            var (from, to) = (place, place + length)
            while token.takesBlanksBefore, from > start, scalars[from - 1].properties.isWhitespace { from -= 1 }
            while token.takesBlanksAfter, to < scalars.count, scalars[to].properties.isWhitespace { to += 1 }
            Self.append(scalars[start..<from], to: &parts)
            parts.append(.token(token.id))
            (start, place) = (to, to)
        }
        Self.append(scalars[start...], to: &parts)
        return parts
    }

    private static func append(_ scalars: ArraySlice<Unicode.Scalar>, to parts: inout [Part]) {
        if !scalars.isEmpty { parts.append(.text(String(String.UnicodeScalarView(scalars)))) }
    }

    /// The longest token that begins at a place, and its length.
    private func token(at place: Int, in text: [Unicode.Scalar]) -> (Token, Int)? {
        for content in byFirst[text[place]] ?? [] where text[place...].starts(with: content) {
            let token = byContent[String(String.UnicodeScalarView(content))]!
            let end = place + content.count
            let isInWord =
                (place > 0 && text[place - 1].isWord) || (end < text.count && text[end].isWord)
            if !token.isWholeWord || !isInWord { return (token, content.count) }
        }
        return nil
    }
}
