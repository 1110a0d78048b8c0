import LittleWorld

/// What a picture of Little World is scored by.
package enum PictureTrait: String, CaseIterable, Codable, Sendable {
    case subjectClass = "class"
    case colour, context, style

    /// The words for the trait's labels, in the order of their codes.
    package var names: [String] {
        switch self {
        case .subjectClass: SubjectClass.allCases.map(\.name)
        case .colour: SubjectColour.allCases.map(\.name)
        case .context: Context.allCases.map { $0 == .plain ? "plain" : $0.name }
        case .style: Style.allCases.map(\.name)
        }
    }
}

/// One label a trait. Nil where none can be told: the colour of a blueprint, and a style that no training shows.
package struct TraitLabels: Equatable, Sendable {
    private let codes: [Int?]

    /// - Precondition: `codes` holds one entry a trait, in the order of `PictureTrait.allCases`.
    package init(codes: [Int?]) {
        precondition(codes.count == PictureTrait.allCases.count)
        self.codes = codes
    }

    package init(_ scene: Scene) {
        let labels = scene.labels
        self.init(codes: [labels.subject, labels.colour, labels.context, scene.style.isHeldOut ? nil : labels.style])
    }

    package init(_ prompt: Evaluation.Prompt) {
        self.init(codes: [
            prompt.kind.rawValue, prompt.style.keepsColour ? prompt.colour.rawValue : nil, prompt.context.rawValue,
            prompt.style.isHeldOut ? nil : prompt.style.rawValue,
        ])
    }

    package subscript(trait: PictureTrait) -> Int? { codes[PictureTrait.allCases.firstIndex(of: trait)!] }
}
