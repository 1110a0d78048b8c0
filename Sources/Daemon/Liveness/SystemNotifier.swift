import Foundation

/// Tells systemd how the service is (`sd_notify`), by datagrams to the socket it names; without one, every call does
/// nothing.
///
/// Source: `sd_notify(3)` and `sd_watchdog_enabled(3)` of systemd 252; written out here so that libsystemd is not
/// needed.
package struct SystemNotifier: Sendable {
    private let address: String?
    /// How long systemd waits for a sign of life, when it waits for one from this process.
    package let watchdogInterval: Duration?

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    package init(environment: [String: String]) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
        watchdogInterval = isForUs && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// The service has started.
    package func ready(status: String) { send("READY=1\nSTATUS=\(oneLine(status))\n") }
    /// The service reads its settings anew; `ready(status:)` follows.
    package func reloading() { send("RELOADING=1\n") }
    /// The service is on its way out.
    package func stopping(status: String) { send("STOPPING=1\nSTATUS=\(oneLine(status))\n") }
    /// The service is alive.
    package func watchdog() { send("WATCHDOG=1\n") }
    /// One line for `systemctl status`.
    package func status(_ text: String) { send("STATUS=\(oneLine(text))\n") }
    /// A stop needs this much more time.
    package func extendTimeout(_ duration: Duration) {
        send("EXTEND_TIMEOUT_USEC=\(duration.components.seconds * 1_000_000)\n")
    }

    private func oneLine(_ text: String) -> String { text.replacingOccurrences(of: "\n", with: " ") }

    private func send(_ text: String) {
        guard let address else { return }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: name.sun_path) else { return }
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }  // Linux's abstract namespace
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let message = Array(text.utf8)
        _ = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
