import Broker
import Synchronization

/// Collects what a connection reports and lets a test wait for it.
final class Witness: Sendable {
    private struct State {
        var events: [ConnectionEvent] = []
        var waiting: [(test: @Sendable ([ConnectionEvent]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var report: @Sendable (ConnectionEvent) -> Void { { [self] in take($0) } }
    var events: [ConnectionEvent] { state.withLock { $0.events } }

    /// Returns once what was reported so far passes `test`.
    func wait(until test: @escaping @Sendable ([ConnectionEvent]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if test(state.events) { return true }
                state.waiting.append((test, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Returns once a connection was made for the `count`th time.
    func connections(_ count: Int) async { await wait { $0.count(where: { $0 == .connected }) >= count } }

    private func take(_ event: ConnectionEvent) {
        let ready = state.withLock { state in
            state.events.append(event)
            let events = state.events
            let ready = state.waiting.filter { $0.test(events) }
            state.waiting.removeAll { $0.test(events) }
            return ready
        }
        for one in ready { one.continuation.resume() }
    }
}

extension ConnectionEvent {
    /// Why the connection was lost, if this says so.
    var loss: BrokerError? { if case .lost(let error, _) = self { error } else { nil } }
}
