import Foundation
import Hummingbird
import ServiceLifecycle
import Store
import Synchronization

/// Says that something changed, to every page that is open: what the tables notify, gathered for a moment, and every
/// two seconds besides, for progress is not notified. What changed it does not say: pages ask with their own rights.
package final class LiveFeed: Service {
    private struct Listeners {
        var next = 0
        var all: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private static let most = 500
    private let listeners = Mutex(Listeners())
    private let url: String
    private let (changes, change) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Will listen at PostgreSQL.
    package init(url: String) { self.url = url }

    /// Listens until the program is shut down; then every page's feed ends.
    package func run() async throws {
        let changed: @Sendable (String, String) -> Void = { [change] _, _ in change.yield() }
        let notifications = Notifications(
            url: url, channels: ["atelier_jobs", "atelier_outbox", "atelier_control"], lost: { _ in }, handle: changed)
        defer { notifications.stop() }
        let clock = Task { [change] in
            while true {
                try await Task.sleep(for: .seconds(2))
                change.yield()
            }
        }
        defer { clock.cancel() }
        for await _ in changes.cancelOnGracefulShutdown() {
            for listener in listeners.withLock({ Array($0.all.values) }) { listener.yield() }
            try? await Task.sleep(for: .milliseconds(200))
        }
        for listener in listeners.withLock({ Array($0.all.values) }) { listener.finish() }
    }

    /// Server-sent events for one page; ends when the page is closed. Nil where too many are open.
    func response() -> Response? {
        guard listeners.withLock({ $0.all.count < Self.most }) else { return nil }
        let body = ResponseBody { [self] writer in
            // Not before: of a body that is never written, as for a head, nothing would end the listening.
            let (number, stream) = listen()
            defer { listeners.withLock { _ = $0.all.removeValue(forKey: number) } }
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
            for await _ in stream.cancelOnGracefulShutdown() {
                try await writer.write(ByteBuffer(string: "event: change\ndata: \n\n"))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .init("X-Accel-Buffering")!: "no"], body: body)
    }

    /// Adds a listener, which is told of a change at once.
    private func listen() -> (number: Int, stream: AsyncStream<Void>) {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number: Int = listeners.withLock { listeners in
            listeners.next += 1
            listeners.all[listeners.next] = continuation
            return listeners.next
        }
        continuation.yield()
        return (number, stream)
    }
}
