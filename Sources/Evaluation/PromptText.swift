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
}
