import Evaluation
import Jobs
import Personalization

/// How a method wants its concepts called in prompts: ARBooth and Proxy-Tuning learn "a <rex> dog", the others "<rex>
/// dog".
package struct ConceptWording {
    private let method: PersonalizationMethod

    /// - Parameter method: what the concept was learnt by.
    package init(method: PersonalizationMethod) { self.method = method }

    /// A suite's prompts as they are asked for, and as an encoder reads them that never met the concept. A style is
    /// asked for as it was learnt, of the scenes that the suite puts subjects into.
    package func prompts(_ suite: PromptSuite, for concept: Concept) -> [(asked: String, described: String)] {
        suite.templates.compactMap { template in
            switch concept.role {
            case .subject:
                let prompt = PromptSuite.prompts(template, concept: concept.name, className: concept.className)
                return (asked(prompt.asked), prompt.described)
            case .style:
                return PromptSuite.scene(template, className: concept.className).map {
                    (concept.wording(subject: $0, style: concept.placeholder), $0)
                }
            }
        }
    }

    /// A subject's prompt in the method's own words.
    package func asked(_ prompt: String) -> String {
        if [.arbooth, .proxyTuning].contains(method) { return prompt }
        return prompt.hasPrefix("a <") ? String(prompt.dropFirst(2)) : prompt.replacing(" a <", with: " <")
    }
}
