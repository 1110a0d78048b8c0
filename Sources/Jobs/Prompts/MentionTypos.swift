extension ConceptMention {
    /// What looks like the mention of a concept and is none, each once: `<Rex>`, `< rex >`, `<rex` without an end,
    /// `rex>` without a beginning, brackets of another alphabet, of HTML, of addresses or of JSON escaped twice, marks
    /// that cannot be seen. `I <3 dogs`, `a <- b` and `a -> b` name nothing.
    ///
    /// Each bracket is held against its neighbours alone, so that a stranger's text takes the time of its length.
    static func typos(in prompt: String) -> [String] {
        // Mentions get brackets of their own meanwhile, so that what is found can be quoted with those in it.
        let text = prompt.replacing(/<([a-z0-9][a-z0-9_-]{0,63}(?:@[1-9][0-9]{0,8})?)>/) { mention in
            "\u{E000}\(mention.1)\u{E001}"
        }
        let brackets = brackets(in: text)
        return brackets.indices.reduce(into: []) { found, index in
            let isOpen = brackets[index].isOpen
            let typo = isOpen ? mistake(at: index, of: brackets, in: text) : ending(at: index, of: brackets, in: text)
            guard let typo else { return }
            let quoted = String(typo).replacing("\u{E000}", with: "<").replacing("\u{E001}", with: ">")
            if !found.contains(quoted) { found.append(quoted) }
        }
    }

    /// A bracket of any alphabet or escape.
    private struct Bracket {
        let range: Range<String.Index>
        let isOpen: Bool
    }

    private static func brackets(in text: String) -> [Bracket] {
        let form =
            #/
            ( [<＜‹〈⟨≮\u{2329}\u{FE64}\u{276C}\u{276E}]
              | &(?:amp;){0,3}(?:lt|\#0*60|\#x0*3c);? | %(?:25){0,3}3c | \\u003c | \\x3c )
            | (?: [>＞›〉⟩≯\u{232A}\u{FE65}\u{276D}\u{276F}]
              | &(?:amp;){0,3}(?:gt|\#0*62|\#x0*3e);? | %(?:25){0,3}3e | \\u003e | \\x3e )
            /#
        // Marks that join with a bracket would hide it.
        return text.matches(of: form.matchingSemantics(.unicodeScalar).ignoresCase()).map {
            Bracket(range: $0.range, isOpen: $0.1 != nil)
        }
    }

    /// What begins with a bracket and looks like a mention: to the next bracket where that ends it, with the marks
    /// behind it, or else a word that stands at the bracket.
    private static func mistake(at index: Int, of brackets: [Bracket], in text: String) -> Substring? {
        let (start, rest) = (brackets[index].range, brackets[(index + 1)...])
        let scalars = text.unicodeScalars
        if let end = rest.first?.range, rest.first?.isOpen == false,
            isOneThing(scalars[start.upperBound..<end.lowerBound])
        {
            let marks = scalars[end.upperBound...].prefix { isMark($0) }
            return text[start.lowerBound..<marks.endIndex]
        }
        // `&lt` and `%3c` may be parts of words and numbers.
        let bracket = scalars[start]
        guard bracket.count == 1 || bracket.last == ";" else { return nil }
        let word = scalars[start.upperBound...].prefix { isOfName($0) }
        return word.contains { $0.properties.isAlphabetic } ? text[start.lowerBound..<word.endIndex] : nil
    }

    /// What ends with a bracket that nothing begins: a word that stands at it, and ends there.
    private static func ending(at index: Int, of brackets: [Bracket], in text: String) -> Substring? {
        let (end, scalars) = (brackets[index].range, text.unicodeScalars)
        let before = index > 0 ? brackets[index - 1] : nil
        let inner = scalars[(before?.range.upperBound ?? text.startIndex)..<end.lowerBound]
        // What an open one begins is told of there.
        if before?.isOpen == true, isOneThing(inner) { return nil }
        let start = inner.lastIndex { !isOfName($0) }.map(inner.index(after:)) ?? inner.startIndex
        let word = inner[start...]
        // `a->b` is an arrow, and `big>small` a comparison.
        guard word.contains(where: { $0.properties.isAlphabetic }), word.last != "-",
            scalars[end.upperBound...].first.map(isOfName) != true
        else { return nil }
        return text[start..<end.upperBound]
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .format: true
        default: false
        }
    }

    /// Whether there is one word between brackets, blanks around it or not, or several of which the first begins at
    /// once: `3 < 4, 5 > 4` is none.
    private static func isOneThing(_ inner: Substring.UnicodeScalarView) -> Bool {
        guard inner.count <= 96 else { return false }
        return inner.first?.properties.isWhitespace == false
            || inner.split { $0.properties.isWhitespace }.count <= 1
    }

    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "@": true
        default: false
        }
    }
}
