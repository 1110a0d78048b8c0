/// A place where a job names a concept it uses.
package struct ConceptMention: Sendable, Equatable {
    /// The JSON pointer of the place.
    package let pointer: String
    package let name: String
    /// What it must be; nil where either will do.
    package let role: ConceptRole?

    /// Describes a place.
    package init(pointer: String, name: String, role: ConceptRole? = nil) {
        self.pointer = pointer
        self.name = name
        self.role = role
    }

    /// What a concept may be called.
    static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9][a-z0-9_-]{0,63}/) != nil }

    /// The names between `<` and `>` in each prompt, each once a prompt.
    package static func all(in prompts: [String]) -> [ConceptMention] {
        prompts.enumerated().flatMap { index, prompt in
            names(in: prompt).map { ConceptMention(pointer: "/prompts/\(index)", name: $0) }
        }
    }

    /// The names between `<` and `>`, each once, in order.
    package static func names(in prompt: String) -> [String] {
        var names: [String] = []
        for match in prompt.matches(of: /<([a-z0-9][a-z0-9_-]{0,63})>/) where !names.contains(String(match.1)) {
            names.append(String(match.1))
        }
        return names
    }

    /// How the place writes it: prompts in angle brackets, fields plainly.
    package func written(_ name: String) -> String { role == nil ? "<\(name)>" : name }
}
