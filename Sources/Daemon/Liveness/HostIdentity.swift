import Foundation

/// What this machine is called in the tables.
package enum HostIdentity {
    /// The machine's id, which survives a change of its name; nil where it has none.
    static let machine: String? = {
        let id = try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        return id.flatMap { $0.isEmpty ? nil : $0 }
    }()

    /// The machine's id; else its name, which another's may be too.
    package static let own = machine ?? ProcessInfo.processInfo.hostName
}
