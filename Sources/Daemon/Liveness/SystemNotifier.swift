import Dispatch
import Foundation
import Synchronization

/// Tells systemd how the service is (`sd_notify`), by datagrams to the socket it names; without one, every call does
/// nothing.
///
/// No call ever waits: a socket's queue holds ten datagrams on many systems, and a daemon must not hang on a manager
/// that does not read. What was not taken is remembered, one value of each variable, and sent as soon as there is room.
///
/// Source: `sd_notify(3)` and `sd_watchdog_enabled(3)` of systemd 252; written out here so that libsystemd is not
/// needed.
package final class SystemNotifier: Sendable {
    /// One line of a datagram. Of those with one subject only the last counts.
    private struct Line {
        let subject: String
        let text: String
    }

    private struct State {
        /// What was not taken yet, in order; at most one line a subject.
        var pending: [Line] = []
        var isRetrying = false
    }

    private let address: String?
    /// How long systemd waits for a sign of life, when it waits for one from this process.
    package let watchdogInterval: Duration?
    private let state = Mutex(State())
    private static let patience = DispatchTimeInterval.milliseconds(250)

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    package init(environment: [String: String]) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
        watchdogInterval = isForUs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// The service has started.
    package func ready(status: String) { send([Self.state("READY"), Self.status(status)]) }
    /// The service reads its settings anew; `ready(status:)` follows.
    package func reloading() { send([Self.state("RELOADING")]) }
    /// The service is on its way out.
    package func stopping(status: String) { send([Self.state("STOPPING"), Self.status(status)]) }
    /// One line for `systemctl status`.
    package func status(_ text: String) { send([Self.status(text)]) }
    /// A stop needs this much more time.
    package func extendTimeout(_ duration: Duration) {
        let microseconds = duration.components.seconds * 1_000_000
        send([Line(subject: "timeout", text: "EXTEND_TIMEOUT_USEC=\(microseconds)\n")])
    }

    /// The service is alive. Not remembered where it is not taken: a sign of life that comes late says nothing.
    package func watchdog() { state.withLock { flush(&$0, and: "WATCHDOG=1\n") } }

    private static func state(_ word: String) -> Line { Line(subject: "state", text: "\(word)=1\n") }

    private static func status(_ text: String) -> Line {
        Line(subject: "status", text: "STATUS=\(text.replacingOccurrences(of: "\n", with: " "))\n")
    }

    private func send(_ lines: [Line]) {
        guard address != nil else { return }
        state.withLock { state in
            for line in lines {
                state.pending.removeAll { $0.subject == line.subject }
                state.pending.append(line)
            }
            flush(&state)
        }
    }

    /// Sends everything that waits in one datagram; tries again later where it is not taken.
    private func flush(_ state: inout State, and more: String = "") {
        let text = state.pending.map(\.text).joined() + more
        if text.isEmpty || isTaken(text) {
            state.pending = []
            return
        }
        guard !state.isRetrying, !state.pending.isEmpty else { return }
        state.isRetrying = true
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience) { [self] in
            self.state.withLock { state in
                state.isRetrying = false
                flush(&state)
            }
        }
    }

    /// Whether the datagram is on its way, or never will be.
    private func isTaken(_ text: String) -> Bool {
        guard let address else { return true }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else { return true }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }  // Linux's abstract namespace
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array(text.utf8)
        let count = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, length)
            }
        }
        return count >= 0 || errno == EMSGSIZE
    }
}
