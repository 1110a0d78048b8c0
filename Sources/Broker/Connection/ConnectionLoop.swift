import Foundation
import Synchronization

/// What one connection is for. Every call comes from the connection's thread.
protocol SessionRole: AnyObject {
    /// A new session: declare, consume, select confirms.
    func begin(_ session: Session) throws(BrokerError)
    /// The broker said something.
    func handle(_ event: SessionEvent, _ session: Session) throws(BrokerError)
    /// Do what is due: called after every signal-up. Long work calls `listen` between its steps, which hears what has
    /// come meanwhile.
    func work(_ session: Session, listen: () throws(BrokerError) -> Void) throws(BrokerError)
    /// The session is about to be closed as asked.
    func end(_ session: Session) throws(BrokerError)
    /// No session now; called once with the reason when it is lost, and then at every signal-up.
    func idle(_ reason: BrokerError)
}

extension SessionRole {
    func end(_ session: Session) throws(BrokerError) {}
}

/// Keeps one connection alive on one thread: connects, serves, and after a loss waits and connects again, until
/// stopped.
final class ConnectionLoop: Sendable {
    private struct State {
        var isStopping = false
        var isDone = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Wakes the thread to look at what its role has to do.
    let signal = ThreadSignal()
    private let state = Mutex(State())
    private let address: BrokerAddress
    private let name: String
    private let maximumBodyBytes: Int
    private let report: @Sendable (ConnectionEvent) -> Void

    init(
        _ address: BrokerAddress, name: String, maximumBodyBytes: Int,
        report: @escaping @Sendable (ConnectionEvent) -> Void
    ) {
        self.address = address
        self.name = name
        self.maximumBodyBytes = maximumBodyBytes
        self.report = report
    }

    /// Starts the thread; `makeRole` runs on it.
    func start(_ makeRole: @escaping @Sendable () -> any SessionRole) {
        startPinnedThread(named: name) { [self] in
            run(makeRole())
            let waiting = state.withLock { state in
                state.isDone = true
                return state.waiting
            }
            for one in waiting { one.resume() }
        }
    }

    /// Asks the thread to end; see ``ended()``.
    func stop() {
        state.withLock { $0.isStopping = true }
        signal.raise()
    }

    /// Returns once the thread has ended.
    func ended() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if !state.isDone { state.waiting.append(continuation) }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func run(_ role: any SessionRole) {
        var delay = ReconnectDelay()
        while !isStopping {
            do throws(BrokerError) {
                let session = try Session(address, name: name, maximumBodyBytes: maximumBodyBytes)
                try serve(session, role, &delay)
            } catch {
                role.idle(error)
                if isStopping { break }
                let pause = delay.next()
                report(.lost(error, retryIn: pause))
                rest(pause, role, error)
            }
        }
        role.idle(.stopped)
    }

    private func serve(_ session: Session, _ role: any SessionRole, _ delay: inout ReconnectDelay) throws(BrokerError) {
        do throws(BrokerError) {
            try role.begin(session)
            delay.reset()
            report(.connected)
            var served = ContinuousClock.now
            while !isStopping {
                try listen(session, role)
                try role.work(session) { () throws(BrokerError) in try listen(session, role) }
                // Heartbeats are served where the library waits for input, and that costs two milliseconds: not at
                // every signal-up.
                if ContinuousClock.now - served > .milliseconds(500) {
                    if let event = try session.nextEvent() { try handle(event, session, role) }
                    served = .now
                }
                if !session.hasBufferedInput { signal.wait(orReadable: session.descriptor, atMost: .seconds(1)) }
            }
            try role.work(session) { () throws(BrokerError) in try listen(session, role) }
            try role.end(session)
            session.close()
        } catch {
            // Only a broker that still talks to us is told goodbye: on any other connection the call could hang.
            switch error {
            case .closed, .topology, .queueGone: session.close()
            default: break
            }
            throw error
        }
    }

    /// Hears everything that has come.
    private func listen(_ session: Session, _ role: any SessionRole) throws(BrokerError) {
        while let event = try session.eventAtHand() { try handle(event, session, role) }
    }

    private func handle(_ event: SessionEvent, _ session: Session, _ role: any SessionRole) throws(BrokerError) {
        switch event {
        case .blocked(let reason): report(.blocked(reason: reason))
        case .unblocked: report(.unblocked)
        default: break
        }
        try role.handle(event, session)
    }

    private func rest(_ pause: Duration, _ role: any SessionRole, _ reason: BrokerError) {
        let end = ContinuousClock.now + pause
        while !isStopping, case let left = end - .now, left > .zero {
            signal.wait(atMost: min(left, .milliseconds(250)))
            role.idle(reason)
        }
    }
}
