import Foundation

/// The contract between a daemon and its engine, `docs/engine.md`, by its version; and what an engine answers to
/// `ENGINE protocol`, one line of JSON.
package struct EngineProtocol: Sendable, Equatable, JSONLine {
    /// What this daemon and this engine speak.
    package static let version = 1

    /// What the engine speaks.
    package var version: Int
    /// What it is called, and its own version.
    package var engine: String
    /// The kinds of jobs it does.
    package var kinds: [String]
    /// The methods it personalizes by; nil: it does not say.
    package var methods: [String]?

    /// Our own engine's answer.
    package static var own: EngineProtocol {
        EngineProtocol(
            version: version, engine: "atelier-engine \(Release.version)",
            kinds: JobKind.allCases.filter(\.needsEngine).map(\.rawValue),
            methods: PersonalizationMethod.allCases.map(\.rawValue))
    }

    /// What to do about an engine of another version; nil where it is this one.
    package var remedy: String? {
        if version == Self.version { return nil }
        let standing = "\(engine) speaks version \(version) of the engine's protocol, this daemon \(Self.version): "
        return standing
            + (version < Self.version
                ? "bring the engine up to docs/engine.md, or run the daemon it was made for"
                : "upgrade Atelier, or set `engine` to one of version \(Self.version)")
    }

    /// Kinds and methods that jobs may ask for and that it does not do.
    package var lacks: [String] {
        let own = Self.own
        return own.kinds.filter { !kinds.contains($0) }
            + (own.methods ?? []).filter { !(methods?.contains($0) ?? true) }.map { "personalize by \($0)" }
    }
}
