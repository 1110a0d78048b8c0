import Jobs

/// Prompts as an encoder reads them that never met the concept.
package enum PromptText {
    /// The prompt without the given words (`<rex>`), single spaces between what is left.
    package static func withoutPlaceholders(_ prompt: String, _ placeholders: [String]) -> String {
        let removed = placeholders.reduce(prompt) { text, placeholder in
            placeholder.isEmpty
                ? text : text.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: " ")
        }
        return removed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The prompt without a concept's name, whose article becomes that of the noun behind it: `an owl` of
    /// `a <rex> owl`.
    /// - Parameters:
    ///   - noun: the concept's class; empty where it is not said.
    ///   - prompt: with single spaces between its words.
    package static func naming(_ noun: String, in prompt: String, without placeholder: String) -> String {
        let said: [String] = noun.isEmpty ? [] : [" a", " A"].map { "\($0) \(placeholder) \(noun)" }
        let named = said.reduce(" " + prompt) { $0.replacing($1, with: " " + noun.withArticle) }
        return withoutPlaceholders(named, [placeholder])
    }
}
