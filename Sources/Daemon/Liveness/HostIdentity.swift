import Foundation

/// What this machine is called in the tables.
package enum HostIdentity {
    /// The machine's id, which survives a change of its name; else its name.
    package static let own: String = {
        let id = try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8).trimmingCharacters(
            in: .whitespacesAndNewlines)
        return id.flatMap { $0.isEmpty ? nil : $0 } ?? ProcessInfo.processInfo.hostName
    }()
}
