import Logging
import Synchronization
import Testing

@testable import Daemon
@testable import Store

/// What the log says of servers that are away.
@Suite struct ServiceHealthTests {
    private struct Outage: Error, CustomStringConvertible { let description: String }

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private struct Recorder: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let reason = event.metadata?["error"].map { ": \($0)" } ?? ""
            lines.all.withLock { $0.append("\(event.message)\(reason)") }
        }
    }

    @Test func anOutageSaysEachOfItsReasonsOnceAndTheNextAgain() {
        let lines = Lines()
        let health = ServiceHealth(
            notifier: SystemNotifier(environment: [:]), logger: Logger(label: "health") { _ in Recorder(lines: lines) })
        for _ in 0..<2 {
            for reason in ["refused", "timed out", "refused"] { health.lost(.store, Outage(description: reason)) }
            #expect(!health.has(.store) && health.phrase.contains("PostgreSQL away"))
            health.found(.store)
            health.found(.store)
            #expect(health.has(.store) && !health.phrase.contains("PostgreSQL away"))
        }
        let outage = ["server unavailable: refused", "server unavailable: timed out", "server available"]
        #expect(lines.all.withLock { $0 } == outage + outage)
    }

    @Test func aFaultOfTheHostIsSaidUntilItIsOver() {
        let health = ServiceHealth(notifier: SystemNotifier(environment: [:]), logger: Logger(label: "health"))
        health.report(.disk)
        #expect(health.fault == .disk && health.phrase.contains("disk full"))
        health.apply(PauseOrder(isPaused: true, number: 1))
        #expect(health.fault == nil && !health.phrase.contains("disk full"), "nobody knows during a pause")
        health.apply(PauseOrder(isPaused: false, number: 2))
        #expect(health.fault == .disk && health.phrase.contains("disk full"))
        health.report(nil)
        #expect(health.fault == nil && !health.phrase.contains("disk full"))
    }
}
