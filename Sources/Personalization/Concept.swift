import Images

/// What the user wants a model to learn: a subject from a few pictures, or a style.
package struct Concept: Sendable {
    package enum Role: String, Codable, Sendable, CaseIterable { case subject, style }

    /// `rex`; prompts name it `<rex>`.
    package let name: String
    package let role: Role
    /// The noun of what the references show; empty where a style's is not said.
    package let className: String
    package let references: [Picture]

    package init(name: String, role: Role = .subject, className: String, references: [Picture]) {
        self.name = name
        self.role = role
        self.className = className
        self.references = references
    }

    package var placeholder: String { "<\(name)>" }

    /// A photo of the concept, which goes by `identifier`, at a place.
    package func photoPrompt(_ identifier: String, _ place: String = "") -> String {
        let place = place.isEmpty ? "" : " " + place
        return role == .subject ? "a photo of \(identifier) \(className)\(place)" : "\(classPhotoPrompt)\(place) in \(identifier) style"
    }
    /// A photo of any of its class.
    package var classPhotoPrompt: String { anyOfItsClass.map { "a photo of \($0)" } ?? "a photo" }
    /// `a dog`, `an owl`; nil where the class is not said.
    package var anyOfItsClass: String? { className.first.map { "\("aeiou".contains($0) ? "an" : "a") \(className)" } }
}
