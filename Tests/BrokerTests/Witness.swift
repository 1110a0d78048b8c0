import Broker
import Synchronization
import Testing

/// Collects what a connection reports and lets a test wait for it.
final class Witness: Sendable {
    private let state = Mutex<[ConnectionEvent]>([])

    var report: @Sendable (ConnectionEvent) -> Void { { [self] event in state.withLock { $0.append(event) } } }
    var events: [ConnectionEvent] { state.withLock { $0 } }

    /// Returns once what was reported so far passes `test`; after a minute that is an issue of the test.
    func wait(until test: @Sendable ([ConnectionEvent]) -> Bool) async {
        let limit = ContinuousClock.now + .seconds(60)
        while !test(events) {
            guard ContinuousClock.now < limit, !Task.isCancelled else {
                _ = Issue.record("what was waited for was not reported; only \(events)")
                return
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Returns once a connection was made for the `count`th time.
    func connections(_ count: Int) async { await wait { $0.count(where: { $0 == .connected }) >= count } }
}

extension ConnectionEvent {
    /// Why the connection was lost, if this says so.
    var loss: BrokerError? { if case .lost(let error, _) = self { error } else { nil } }
}
