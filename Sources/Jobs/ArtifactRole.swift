/// What an artifact is for, as messages, rows and pages have it. Atelier's own engine has these; what another engine
/// calls otherwise is kept and listed under its own word.
package struct ArtifactRole: RawRepresentable, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The word.
    package let rawValue: String

    /// Any word.
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The word, as texts have it.
    package var description: String { rawValue }

    /// What a training learnt.
    package static let adapter = ArtifactRole(rawValue: "adapter")
    /// The same as PEFT reads it.
    package static let peft = ArtifactRole(rawValue: "peft")
    /// A picture of one of the job's prompts.
    package static let picture = ArtifactRole(rawValue: "picture")
    /// All of them on one.
    package static let sheet = ArtifactRole(rawValue: "sheet")
    /// The losses of a training.
    package static let curve = ArtifactRole(rawValue: "curve")
    /// A picture of what is learnt so far.
    package static let preview = ArtifactRole(rawValue: "preview")
    /// A picture that a supervisor drew of its subject.
    package static let proxy = ArtifactRole(rawValue: "proxy")
    /// Some of a subject's proxies on one sheet, which follows all of them.
    package static let proxies = ArtifactRole(rawValue: "proxies")
}

extension JSONValue {
    /// Of an artifact as rows and pages have it.
    package var artifactRole: ArtifactRole? { self["role"]?.string.map(ArtifactRole.init) }
}
