import Daemon
import Foundation
import Jobs

/// A daemon as `dashboard.workers` has it, and whether it can be believed to live.
struct WorkerLiveness {
    let row: JSONValue
    let heartbeatSeconds: Double

    var name: String { row["name"]?.string ?? "" }
    /// Seconds since its last heartbeat.
    var silence: Double { row["beat_age_seconds"]?.double ?? 0 }

    /// One word.
    var state: String {
        if row["gone_at"] != .null { return "gone" }
        if isSilent { return "silent" }
        return row["paused"] == .bool(true) ? "paused" : "working"
    }

    /// Whether it missed three heartbeats; one is enough where its process is known to have ended. Its lease, after
    /// which its jobs are another's, may last longer.
    var isSilent: Bool {
        guard row["gone_at"] == .null else { return false }
        return silence > (hasEnded ? 1.5 : 3) * heartbeatSeconds + 0.5
    }

    /// Whether it ran on this machine, and no process has its number any more.
    private var hasEnded: Bool {
        guard let pid = row["pid"]?.integer, let host = row["host"]?.string, let machine = Self.machine,
            host.hasPrefix(machine + " ")
        else { return false }
        return kill(pid_t(pid), 0) != 0 && errno == ESRCH
    }

    /// What daemons tell their hosts apart by.
    private static let machine: String? = {
        let id = try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return id.flatMap { $0.isEmpty ? nil : $0 }
    }()
}
