import Engine
import Foundation
import Images
import Jobs
import LittleWorld
import Personalization

/// What is compared: subjects that training never saw, in styles learned from one picture each, at places few
/// references show.
package struct CompositionPlan {
    /// A way to join a subject and a style that were learned apart.
    package enum Arm: String, CaseIterable, Sendable {
        /// CoAR's context tokens, kept from reading each other.
        case masked
        /// The same tokens, free to read each other.
        case unmasked
        /// LoRA adapters of the same references, added to the weights.
        case merged = "lora-merged"
        /// The same adapters, added with a factor for each column that is learnt for each pair (ZipLoRA).
        case learned = "zip-lora"
        /// The subject's adapter in some blocks, the style's in the others (B-LoRA).
        case split = "b-lora"
        /// Nothing is learned: the world paints what is asked for, and gives the figures that perfect pictures have.
        case world

        var method: PersonalizationMethod? {
            switch self {
            case .masked, .unmasked: .coar
            case .merged, .learned, .split: .lora
            case .world: nil
            }
        }
    }

    /// A subject or a style with what it is learned from.
    struct Training {
        let name: String
        let concept: Concept
        /// What the first reference shows.
        let scene: Scene
    }

    /// Where a subject is, or what it wears.
    struct Place {
        let context: Context
        let accessory: Accessory

        init(_ context: Context, _ accessory: Accessory = .none) {
            (self.context, self.accessory) = (context, accessory)
        }

        /// As prompts say it.
        var words: String { accessory == .none ? context.name : accessory.name }
    }

    static let subjectName = "subject", styleName = "style"
    static let places = [
        Place(.beach), Place(.snow), Place(.jungle), Place(.mountain), Place(.water), Place(.woodenFloor),
        Place(.grass), Place(.city),
        Place(.plain, .redHat), Place(.plain, .crown),
    ]
    /// The held-out styles first.
    private static let styles: [Style] = Style.heldOut + [.watercolour, .pixelArt, .pastel, .neon, .comic, .crayon]
    private static let kinds: [SubjectClass] = [.dog, .owl, .teapot, .car, .robot, .cat, .bear, .backpack]

    let subjects, styles: [Training]
    let places: [Place]
    let seeds: [UInt64]
    let wording: StyleWording

    /// - Parameters:
    ///   - firstSubject: the number of the first individual; choices are made on others than those reported.
    ///   - wording: what styles are learned and asked for with.
    ///   - size: pixels on a side of the model's pictures.
    package init(
        subjects: Int, styles: Int, places: Int, seeds: Int, firstSubject: Int, wording: StyleWording, size: Int
    ) {
        self.subjects = (0..<subjects).map { number in
            let kind = CompositionPlan.kinds[number % CompositionPlan.kinds.count]
            let subject = Subject.heldOut(kind, index: firstSubject + number / CompositionPlan.kinds.count)
            let scenes = subject.references(count: 4)
            let concept = Concept(
                name: CompositionPlan.subjectName, className: kind.name, references: scenes.painted(size: size))
            return Training(
                name: "\(kind)-\(firstSubject + number / CompositionPlan.kinds.count)", concept: concept,
                scene: scenes[0])
        }
        self.styles = CompositionPlan.styles.prefix(styles).map { style in
            let scene = LittleWorld.example(of: style)
            let concept = Concept(
                name: CompositionPlan.styleName, role: .style, className: scene.subject.kind.name,
                references: [scene.paint(size: size)], wording: wording)
            return Training(name: "\(style)", concept: concept, scene: scene)
        }
        self.places = Array(CompositionPlan.places.prefix(places))
        self.seeds = (1...UInt64(max(seeds, 1))).map { $0 }
        self.wording = wording
    }

    /// The styles there are to compare, those never seen in training among them.
    package static var mostStyles: Int { styles.count }

    /// What is drawn.
    func prompt(_ subject: Training, _ place: Place) -> String {
        wording(
            subject: "<\(CompositionPlan.subjectName)> \(subject.concept.className) \(place.words)",
            style: "<\(CompositionPlan.styleName)>")
    }

    /// What a style is learned with. It says where the picture is: what words can say would else be learnt as the
    /// style's, which then gives way to every place that a prompt names.
    func prompt(learning style: Training) -> String {
        let subject = style.concept.anyOfItsClass.map { "\($0) \(style.scene.context.name)" }
        return wording(subject: subject ?? style.scene.context.name, style: "{concept}")
    }

    /// What text alignment is held against: everything asked for but the identity and the style.
    func description(_ subject: Training, _ place: Place) -> String {
        "\(subject.concept.anyOfItsClass ?? "") \(place.words)"
    }

    /// What is asked for, in poses of the seed's: for each place a scene of the world.
    func scenes(_ subject: Training, _ style: Training, seed: UInt64) -> [Scene] {
        places.enumerated().map { number, place in
            subject.scene.subject.scene(
                in: place.context, accessory: place.accessory, style: style.scene.style,
                number: Int(seed) * 1000 + number)
        }
    }
}
