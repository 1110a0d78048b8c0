/// Draw a subject in a style that were learnt apart, without training.
package struct ComposeSpec: Sendable, Equatable {
    /// The concept of each role: its name, and with `@` a version that is meant.
    package var subject, style: String
    /// Prompts, size and options, as a job has them that draws.
    package var drawing: GenerateSpec

    /// How the job and its prompts call the concept of a role.
    package func name(of role: ConceptRole) -> String {
        switch role {
        case .subject: subject
        case .style: style
        }
    }
}

extension ComposeSpec {
    /// Nil where the reader has found problems that leave nothing to make a job of.
    init?(_ reader: inout SpecReader) {
        reader.fields(
            [
                "version", "kind", "model", "subject", "style", "prompts", "images_per_prompt", "size", "seed",
                "options", "attach",
            ], options: ModelFamily.allCases.filter(\.composes).compactMap(\.drawing))
        let pair = reader.pair()
        let drawing = GenerateSpec(drawing: &reader, on: \.composes) { reader, prompts in
            guard let pair else { return }
            reader.only([pair.subject, pair.style], in: prompts, because: "the concepts this job joins")
        }
        guard let pair, let drawing else { return nil }
        (subject, style, self.drawing) = (pair.subject, pair.style, drawing)
    }

    var mentions: [ConceptMention] {
        ConceptRole.allCases.map { ConceptMention(pointer: "/" + $0.rawValue, reference: name(of: $0), role: $0) }
    }

    var members: [String: JSONValue] {
        drawing.members.merging(["subject": .string(subject), "style": .string(style)]) { $1 }
    }
}
