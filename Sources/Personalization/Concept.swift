import Images

/// What the user wants a model to learn: a subject from a few pictures, or a style.
package struct Concept: Sendable {
    package enum Role: String, Codable, Sendable, CaseIterable { case subject, style }

    /// `rex`; prompts name it `<rex>`.
    package let name: String
    package let role: Role
    /// The noun of what the references show.
    package let className: String
    package let references: [Picture]

    package init(name: String, role: Role = .subject, className: String, references: [Picture]) {
        self.name = name
        self.role = role
        self.className = className
        self.references = references
    }

    package var placeholder: String { "<\(name)>" }

    /// `dog` as `a dog`.
    package var classWithArticle: String { (className.first.map { "aeiou".contains($0) } == true ? "an " : "a ") + className }
    /// A photo of the concept, which goes by `identifier`.
    package func photoPrompt(_ identifier: String) -> String {
        role == .subject ? "a photo of \(identifier) \(className)" : "a photo of \(classWithArticle) in \(identifier) style"
    }
    /// A photo of any of its class.
    package var classPhotoPrompt: String { "a photo of \(classWithArticle)" }
}
