/// Finds tokens in a text, the leftmost first, and of those that begin at one place the longest.
struct TokenSearch: Sendable {
    private var byContent: [[Unicode.Scalar]: AddedTokens.Token] = [:]
    private var byFirst: [Unicode.Scalar: [[Unicode.Scalar]]] = [:]

    /// Adds a token that is looked for as `content`; one that was looked for so gives way.
    mutating func add(_ token: AddedTokens.Token, as content: String) {
        let scalars = Array(content.unicodeScalars)
        guard let first = scalars.first else { return }
        if byContent.updateValue(token, forKey: scalars) == nil {
            byFirst[first, default: []].append(scalars)
            byFirst[first]!.sort { $0.count > $1.count }
        }
    }

    /// The text between the tokens, and those, in order; no empty text.
    func split(_ text: String) -> [AddedTokens.Part] {
        let scalars = Array(text.unicodeScalars)
        var parts: [AddedTokens.Part] = []
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

    private static func append(_ scalars: ArraySlice<Unicode.Scalar>, to parts: inout [AddedTokens.Part]) {
        if !scalars.isEmpty { parts.append(.text(String(String.UnicodeScalarView(scalars)))) }
    }

    /// The longest token that begins at a place, and its length.
    private func token(at place: Int, in text: [Unicode.Scalar]) -> (AddedTokens.Token, Int)? {
        for content in byFirst[text[place]] ?? [] where text[place...].starts(with: content) {
            let token = byContent[content]!
            let end = place + content.count
            let isInWord =
                (place > 0 && text[place - 1].isWord) || (end < text.count && text[end].isWord)
            if !token.isWholeWord || !isInWord { return (token, content.count) }
        }
        return nil
    }
}
