import Foundation
import ServerTesting
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(10))) struct NotificationsTests {
    /// libpq reads what came together: the answer and, behind it, a notification that no socket tells of any more.
    @Test func whatComesWithAnAnswerIsNotForgotten() async throws {
        let url = try await Servers.running().postgresURL
        let channel = "test_\(UUID().uuidString.prefix(8).lowercased())"
        let (received, receive) = AsyncStream.makeStream(of: String.self)
        let probe = Notifications.Probe(statement: "select pg_notify('\(channel)', 'here')", seconds: 1)
        let notifications = Notifications(
            url: url, channels: [channel], probe: probe, lost: { _ in },
            handle: { if $0 == channel { receive.yield($1) } })
        defer { notifications.stop() }
        let limit = Task {
            try await Task.sleep(for: .seconds(30))
            receive.finish()
        }
        defer { limit.cancel() }
        var payload: String?
        for await text in received {
            payload = text
            break
        }
        #expect(payload == "here")
    }
}
