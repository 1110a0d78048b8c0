/// A place where a job names a concept it uses.
package struct ConceptMention: Sendable, Equatable {
    /// The JSON pointer of the place.
    package let pointer: String
    /// Without a version.
    package let name: String
    /// The version that is meant; nil: the newest.
    package let version: Int?
    /// What it must be; nil where either will do.
    package let role: ConceptRole?

    /// Describes a place.
    package init(pointer: String, name: String, version: Int? = nil, role: ConceptRole? = nil) {
        (self.pointer, self.name, self.version, self.role) = (pointer, name, version, role)
    }

    /// A place that names one concept, as a field does: `rex`, or `rex@2`.
    /// - Precondition: `isReference(text)`.
    init(pointer: String, reference text: String, role: ConceptRole? = nil) {
        let parts = text.split(separator: "@")
        self.init(pointer: pointer, name: String(parts[0]), version: parts.count > 1 ? Int(parts[1]) : nil, role: role)
    }

    /// How the place calls it: `rex`, or `rex@2`; what its adapter goes by in this job.
    package var key: String { version.map { "\(name)@\($0)" } ?? name }

    /// Whether a text can be a concept's name.
    package static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9][a-z0-9_-]{0,63}/) != nil }

    /// What a field may name a concept by.
    package static func isReference(_ text: String) -> Bool {
        text.wholeMatch(of: /[a-z0-9][a-z0-9_-]{0,63}(?:@[1-9][0-9]{0,8})?/) != nil
    }

    /// The concepts between `<` and `>` in each prompt, each once a prompt.
    package static func all(in prompts: [String]) -> [ConceptMention] {
        prompts.enumerated().flatMap { index, prompt in mentions(in: prompt, at: "/prompts/\(index)") }
    }

    /// The concepts between `<` and `>`, each once, in order.
    private static func mentions(in prompt: String, at pointer: String) -> [ConceptMention] {
        var mentions: [ConceptMention] = []
        for match in prompt.matches(of: /<([a-z0-9][a-z0-9_-]{0,63})(?:@([1-9][0-9]{0,8}))?>/) {
            let mention = ConceptMention(pointer: pointer, name: String(match.1), version: match.2.flatMap { Int($0) })
            if !mentions.contains(mention) { mentions.append(mention) }
        }
        return mentions
    }

    /// How they are called between `<` and `>`, each once, in order.
    package static func names(in prompt: String) -> [String] { mentions(in: prompt, at: "").map(\.key) }

    /// The rule for mentions, for whoever wrote another.
    package static let rule = """
        <name> of a concept that was learnt, or <name@version>: lowercase letters, digits, dashes and underscores, \
        without spaces
        """

    /// How the place writes it: prompts in angle brackets, fields plainly.
    package func written(_ name: String) -> String { role == nil ? "<\(name)>" : name }
}
