import Foundation
import Jobs

/// A daemon as `dashboard.workers` has it, or a running job's as `dashboard.running` has it: whether it can be believed
/// to live, by one rule for all who show it.
package struct WorkerLiveness {
    private let row: JSONValue
    private let heartbeatSeconds: Double

    /// Reads a row; daemons are taken to beat as often as these settings say.
    package init(row: JSONValue, heartbeatSeconds: Double) {
        (self.row, self.heartbeatSeconds) = (row, heartbeatSeconds)
    }

    /// What it is called.
    package var name: String { row["name"]?.string ?? "" }
    /// Seconds since its last heartbeat.
    package var silence: Double { row["beat_age_seconds"]?.double ?? 0 }
    /// Whether it starts no new work until it is told to.
    package var isPaused: Bool { row["paused"] == .bool(true) }
    /// Why it starts no new work though nobody paused it.
    package var fault: HostFault? { row["fault"]?.string.flatMap(HostFault.init(rawValue:)) }

    /// A word or two.
    package var state: String {
        if hasLeft { return "gone" }
        if isSilent { return "silent" }
        return isPaused ? "paused" : fault?.words ?? "working"
    }

    /// Whether it missed three heartbeats; one is enough where its process is known to have ended. Its lease, after
    /// which its jobs are another's, may last longer.
    package var isSilent: Bool {
        guard !hasLeft else { return false }
        return silence > (hasEnded ? 1.5 : 3) * heartbeatSeconds + 0.5
    }

    private var hasLeft: Bool { row["gone_at"]?.string != nil }

    /// Whether it ran on this machine, and no process has its number any more.
    private var hasEnded: Bool {
        guard let pid = row["pid"]?.integer, let host = row["host"]?.string, let machine = HostIdentity.machine,
            host.hasPrefix(machine + " ")
        else { return false }
        return kill(pid_t(pid), 0) != 0 && errno == ESRCH
    }
}
