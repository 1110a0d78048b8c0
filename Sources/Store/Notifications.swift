import Foundation
import Synchronization

/// Listens to PostgreSQL's notifications on a connection and a thread of its own; only hints: who waits for one also
/// looks by itself.
package final class Notifications: Sendable {
    private let isStopped = Atomic(false)

    /// Begins; `handle` is called on the thread with channel and payload, and with an empty channel after each
    /// (re)connection, when anything may have been missed; `lost` once for every time nothing can be heard.
    package init(
        url: String, channels: [String], lost: @escaping @Sendable (any Error) -> Void,
        handle: @escaping @Sendable (_ channel: String, _ payload: String) -> Void
    ) {
        Thread.detachNewThread { [self] in
            var isLost = false
            while !isStopped.load(ordering: .relaxed) {
                do {
                    try listen(url, channels) { channel, payload in
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

    private func listen(_ url: String, _ channels: [String], _ handle: (String, String) -> Void) throws {
        let connection = try PostgresConnection(url: url, application: "atelierd/listen")
        for channel in channels { _ = try connection.query("listen \(channel)", []) }
        handle("", "")
        var quiet = 0
        while !isStopped.load(ordering: .relaxed) {
            var descriptor = pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 1000) > 0 {
                for notification in try connection.notifications() {
                    handle(notification.channel, notification.payload)
                }
                quiet = 0
            } else {
                quiet += 1
                // A dead listener looks idle.
                if quiet % 10 == 0 { _ = try connection.query("select 1", []) }
            }
        }
    }
}
