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
    static let ofOneSubject: [PictureTrait] = [.subjectClass, .colour, .context, .style]

    /// Who is in the picture, one or two.
    package static let ofSubjects: Set<PictureTrait> = [.subjectClass, .colour, .secondClass, .secondColour]

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
