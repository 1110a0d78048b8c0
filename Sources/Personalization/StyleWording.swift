/// How a model's prompts speak of a style: as the captions it was trained on do, or it reads them as something else.
package struct StyleWording: Sendable, Equatable {
    /// CoAR's (arXiv 2508.07341, section 4.1).
    package static let paper = StyleWording(template: "a photo of {subject} in {style} style")

    /// With {subject} and {style}.
    package let template: String
    /// The model's word for a style of any kind: what one that is learnt starts as.
    package let noun: String

    /// - Parameter template: with {subject} and {style}.
    package init(template: String, noun: String = "style") { (self.template, self.noun) = (template, noun) }

    /// - Parameter subject: what is shown, and where: "a dog on the beach".
    package func callAsFunction(subject: String, style: String) -> String {
        template.replacing("{subject}", with: subject).replacing("{style}", with: style)
    }
}
