import Jobs
import Personalization

/// The prompts of a training's sample pictures: those asked for, or the concept in some places, worded as its method
/// learns it.
struct SamplePrompts {
    let asked: [String]
    private let own: [String]

    init(_ asked: [String], concept: Concept, method: PersonalizationMethod) {
        self.asked = asked
        let keepsArticle = method == .arbooth || method == .proxyTuning
        let name = keepsArticle ? "a \(concept.placeholder)" : concept.placeholder
        own = ["", "on the beach", "in the snow", "in the jungle"].map { concept.photoPrompt(name, $0) }
    }

    var all: [String] { asked.isEmpty ? own : asked }
    /// The longest there is of its own accord.
    var longest: String { own[1] }
}
