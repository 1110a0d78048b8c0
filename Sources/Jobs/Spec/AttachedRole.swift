/// Artifacts that an outcome carries where its message asks for them, for who publishes is rarely on the daemon's host.
package enum AttachedRole: String, CaseIterable, Sendable {
    case adapter, picture

    /// As a message has them.
    static func json(_ roles: [AttachedRole]) -> JSONValue { .array(roles.map { .string($0.rawValue) }) }
}
