import LittleWorld

/// One label a trait. Nil where none can be told: the colour of a blueprint, and a style that no training shows.
package struct TraitLabels: Equatable, Sendable {
    private let codes: [Int?]

    /// - Parameter codes: one entry a trait, in the order of `PictureTrait.allCases`; those left out are nil.
    package init(codes: [Int?]) {
        let missing = PictureTrait.allCases.count - codes.count
        precondition(missing >= 0, "\(codes.count) labels of \(PictureTrait.allCases.count) traits")
        self.codes = codes + [Int?](repeating: nil, count: missing)
    }

    /// What the scene shows.
    package init(_ scene: Scene) {
        let labels = scene.labels
        self.init(codes: [
            labels.subject, labels.colour, labels.context, scene.style.isHeldOut ? nil : labels.style,
            labels.accessory, labels.finish, labels.secondSubject ?? TraitLabels.nobody, labels.secondColour,
        ])
    }

    /// What words that ask for the scene say: who is in it, in which style, and of place and accessory what has a name.
    package init(askedFor scene: Scene) {
        let labels = scene.labels
        self.init(codes: [
            labels.subject, labels.colour, scene.context == .plain ? nil : labels.context, labels.style,
            scene.accessory == .none ? nil : labels.accessory, nil, labels.secondSubject, labels.secondColour,
        ])
    }

    /// The same with another label of one trait.
    package func setting(_ trait: PictureTrait, to code: Int?) -> TraitLabels {
        var changed = codes
        changed[PictureTrait.allCases.firstIndex(of: trait)!] = code
        return TraitLabels(codes: changed)
    }

    /// The code of no second subject.
    private static let nobody = SubjectClass.allCases.count

    /// Whether there is a second subject.
    var hasSecond: Bool { self[.secondClass].map { $0 != TraitLabels.nobody } ?? false }

    /// The label's code.
    package subscript(trait: PictureTrait) -> Int? { codes[PictureTrait.allCases.firstIndex(of: trait)!] }
}
