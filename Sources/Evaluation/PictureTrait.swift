import LittleWorld

/// What a picture of Little World is scored by.
package enum PictureTrait: String, CaseIterable, Codable, Sendable {
    case subjectClass = "class"
    case colour, context, style
    /// Of the first subject, from the left.
    case accessory, finish
    /// Of a second subject, right of the first; the class says "nobody" where there is none.
    case secondClass, secondColour

    /// What every classifier knows.
    package static let ofOneSubject: [PictureTrait] = [.subjectClass, .colour, .context, .style]

    /// The words for the trait's labels, in the order of their codes.
    package var names: [String] {
        switch self {
        case .subjectClass: SubjectClass.allCases.map(\.name)
        case .colour: SubjectColour.allCases.map(\.name)
        case .context: Context.allCases.map { $0 == .plain ? "plain" : $0.name }
        case .style: Style.allCases.map(\.name)
        case .accessory: Accessory.allCases.map { $0 == .none ? "nothing worn" : $0.name }
        case .finish: Finish.allCases.map { $0 == .plain ? "plain" : $0.name }
        case .secondClass: SubjectClass.allCases.map(\.name) + ["nobody"]
        case .secondColour: SubjectColour.allCases.map(\.name)
        }
    }
}

/// One label a trait. Nil where none can be told: the colour of a blueprint, and a style that no training shows.
package struct TraitLabels: Equatable, Sendable {
    private let codes: [Int?]

    /// - Parameter codes: one entry a trait, in the order of `PictureTrait.allCases`; those left out are nil.
    package init(codes: [Int?]) {
        let missing = PictureTrait.allCases.count - codes.count
        precondition(missing >= 0)
        self.codes = codes + [Int?](repeating: nil, count: missing)
    }

    package init(_ scene: Scene) {
        let labels = scene.labels
        self.init(codes: [
            labels.subject, labels.colour, labels.context, scene.style.isHeldOut ? nil : labels.style,
            labels.accessory, labels.finish, labels.secondSubject ?? TraitLabels.nobody, labels.secondColour,
        ])
    }

    package init(_ prompt: Evaluation.Prompt) {
        self.init(codes: [
            prompt.kind.rawValue, prompt.style.keepsColour ? prompt.colour.rawValue : nil, prompt.context.rawValue,
            prompt.style.isHeldOut ? nil : prompt.style.rawValue, prompt.accessory.rawValue, Finish.plain.rawValue,
            TraitLabels.nobody,
        ])
    }

    private static let nobody = SubjectClass.allCases.count

    package subscript(trait: PictureTrait) -> Int? { codes[PictureTrait.allCases.firstIndex(of: trait)!] }
}
