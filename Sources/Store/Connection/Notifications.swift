import Foundation
import Synchronization

/// Listens to PostgreSQL's notifications on a connection and a thread of its own; only hints: who waits for one also
/// looks by itself.
package final class Notifications: Sendable {
    private let isStopped = Atomic(false)

    /// The statement that finds out whether the server is still there, after so many quiet seconds.
    struct Probe {
        var statement = "select 1"
        var seconds = 10
    }

    /// Begins; `handle` is called on the thread with channel and payload, and with an empty channel after each
    /// (re)connection, when anything may have been missed; `lost` once for every time nothing can be heard.
    package convenience init(
        url: String, channels: [String], lost: @escaping @Sendable (any Error) -> Void,
        handle: @escaping @Sendable (_ channel: String, _ payload: String) -> Void
    ) {
        self.init(url: url, channels: channels, probe: Probe(), lost: lost, handle: handle)
    }

    /// The same with another probe.
    init(
        url: String, channels: [String], probe: Probe, lost: @escaping @Sendable (any Error) -> Void,
        handle: @escaping @Sendable (_ channel: String, _ payload: String) -> Void
    ) {
        Thread.detachNewThread { [self] in
            var isLost = false
            while !isStopped.load(ordering: .relaxed) {
                do {
                    try listen(url, channels, probe) { channel, payload in
                        isLost = false
                        handle(channel, payload)
                    }
                } catch {
                    if !isLost { lost(error) }
                    isLost = true
                    Thread.sleep(forTimeInterval: 1)
                }
            }
        }
    }

    /// Ends the thread within a second.
    package func stop() { isStopped.store(true, ordering: .relaxed) }

    private func listen(
        _ url: String, _ channels: [String], _ probe: Probe, _ handle: (String, String) -> Void
    ) throws {
        let connection = try PostgresConnection(url: url, application: "atelierd/listen")
        for channel in channels { _ = try connection.query("listen \(channel)", []) }
        handle("", "")
        var quiet = 0
        while !isStopped.load(ordering: .relaxed) {
            var descriptor = pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)
            quiet = poll(&descriptor, 1, 1000) > 0 ? 0 : quiet + 1
            // A dead listener looks idle.
            if quiet > 0, quiet % probe.seconds == 0 { _ = try connection.query(probe.statement, []) }
            // Also what came with the answer to that, of which the socket tells no more.
            for notification in try connection.notifications() {
                handle(notification.channel, notification.payload)
            }
        }
    }
}
