import Foundation

/// What a model is told for a prompt: Lumina-mGPT's words around it, with the picture's size; or the prompt alone.
package struct PromptTemplate: Sendable {
    private let template: String?

    /// - Parameter template: with `{width}`, `{height}` and `{prompt}`; nil for the prompt alone.
    package init(_ template: String?) { self.template = template }

    /// The whole text for a picture of so many pixels.
    package func text(of prompt: String, width: Int, height: Int) -> String {
        guard let template else { return prompt }
        // The prompt last: what it says of {width} is its own.
        return template.replacingOccurrences(of: "{width}", with: String(width))
            .replacingOccurrences(of: "{height}", with: String(height))
            .replacingOccurrences(of: "{prompt}", with: prompt)
    }
}
