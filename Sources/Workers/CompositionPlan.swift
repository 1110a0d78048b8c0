import Foundation
import Images
import Jobs
import LittleWorld
import Personalization

/// What is compared: subjects that training never saw, in styles learned from one picture each, at places no reference shows.
package struct CompositionPlan {
    /// A way to join a subject and a style that were learned apart.
    package enum Arm: String, CaseIterable, Sendable {
        /// CoAR's context tokens, kept from reading each other.
        case masked
        /// The same tokens, free to read each other.
        case unmasked
        /// LoRA adapters of the same references, added to the weights.
        case merged = "lora-merged"

        var method: PersonalizationMethod { self == .merged ? .lora : .coar }
    }

    /// A subject or a style with what it is learned from.
    struct Lesson {
        let name: String
        let concept: Concept
    }

    static let subjectName = "subject", styleName = "style"
    static let places = [
        "on the beach", "in the snow", "in the jungle", "on the mountain", "floating on water", "on a wooden floor", "on green grass",
        "with a city in the background", "wearing a red hat", "with a crown",
    ]
    /// The held-out styles first.
    private static let styles: [Style] = Style.heldOut + [.watercolour, .pixelArt, .pastel, .neon, .comic, .crayon]
    private static let kinds: [SubjectClass] = [.dog, .owl, .teapot, .car, .robot, .cat, .bear, .backpack]

    let subjects, styles: [Lesson]
    let places: [String]
    let seeds: [UInt64]
    /// With {subject}, {place} and {style}.
    let template: String

    /// - Parameters:
    ///   - firstSubject: the number of the first individual; choices are made on others than those reported.
    ///   - template: the prompt CoAR's styles are learned and used with, holding {subject}, {place} and {style}.
    package init(subjects: Int, styles: Int, places: Int, seeds: Int, firstSubject: Int, template: String, size: Int) {
        self.subjects = (0..<subjects).map { number in
            let kind = CompositionPlan.kinds[number % CompositionPlan.kinds.count], subject = Subject.heldOut(kind, index: firstSubject + number / CompositionPlan.kinds.count)
            let concept = Concept(name: CompositionPlan.subjectName, className: kind.name, references: subject.references(count: 4).map { $0.paint(size: size) })
            return Lesson(name: "\(kind)-\(firstSubject + number / CompositionPlan.kinds.count)", concept: concept)
        }
        self.styles = CompositionPlan.styles.prefix(styles).map { style in
            let scene = LittleWorld.example(of: style)
            let concept = Concept(name: CompositionPlan.styleName, role: .style, className: scene.subject.kind.name, references: [scene.paint(size: size)])
            return Lesson(name: "\(style)", concept: concept)
        }
        self.places = Array(CompositionPlan.places.prefix(places))
        self.seeds = (1...UInt64(max(seeds, 1))).map { $0 }
        self.template = template
    }

    package static var mostStyles: Int { styles.count }

    /// What a style is learned with, in CoAR's words.
    var stylePrompt: String { filled(subject: "a {class}", place: "", style: "{concept}") }

    /// What is drawn. LoRA adapters are learned in their own words, and asked in them.
    func prompt(_ subject: Lesson, _ place: String, _ arm: Arm) -> String {
        let shown = "<\(CompositionPlan.subjectName)> \(subject.concept.className)", style = "<\(CompositionPlan.styleName)>"
        return arm == .merged ? "a photo of \(shown) \(place) in \(style) style" : filled(subject: shown, place: place, style: style)
    }

    /// What text alignment is held against: everything asked for but the identity and the style.
    func description(_ subject: Lesson, _ place: String) -> String { "\(subject.concept.anyOfItsClass ?? "") \(place)" }

    private func filled(subject: String, place: String, style: String) -> String {
        let text = template.replacing("{subject}", with: subject).replacing("{place}", with: place).replacing("{style}", with: style)
        return text.split(separator: " ").joined(separator: " ")
    }
}
