/// The words that another program's adapter was trained with, which stand in prompts for the concept.
package enum TriggerPhrase {
    /// A caption's beginning at most, not the prompt itself (*ours*).
    private static let mostWords = 20
    private static let mostBytes = 256

    /// Whether a text can stand in a prompt as it is.
    package static func isOne(_ text: String) -> Bool {
        let words = text.split(whereSeparator: \.isWhitespace)
        return (1...mostWords).contains(words.count) && text.utf8.count <= mostBytes
            && !text.contains(where: \.isNewline)
            && !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            && ConceptMention.typos(in: text).isEmpty && ConceptMention.names(in: text).isEmpty
            && PromptBlank.unfilled(in: text, isTemplate: false).isEmpty
    }

    /// The rule, for whoever wrote another.
    package static let rule = """
        1 to \(mostWords) words in one line of at most \(mostBytes) bytes, without <name>, {concept} and {class}
        """
}
