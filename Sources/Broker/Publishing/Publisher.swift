import Synchronization

/// Publishes with confirms over a connection of its own, which it restores whenever it is lost.
///
/// Nothing is sent twice by itself: what was unanswered when the connection broke is ``PublishOutcome/unknown(_:)``,
/// and whoever keeps the outbox publishes it again with the same message id.
package final class Publisher: Sendable {
    private let loop: ConnectionLoop
    private let pending: PublishQueue
    private let makeRole: @Sendable () -> any SessionRole

    /// A publisher that does nothing before ``start()``. `topology` is declared on every connection; at most 256
    /// messages, and 8 MiB beyond the first, wait for the broker's answer at a time. `report` is called from the
    /// connection's thread and must not block.
    package init(
        _ address: BrokerAddress, topology: Topology? = nil, name: String = "atelier-publisher",
        report: @escaping @Sendable (ConnectionEvent) -> Void = { _ in }
    ) {
        let loop = ConnectionLoop(address, name: name, maximumBodyBytes: 0, report: report)
        let pending = PublishQueue(signal: loop.signal)
        self.loop = loop
        self.pending = pending
        makeRole = { PublisherRole(topology: topology, pending: pending) }
    }

    /// Connects, and goes on connecting until it works.
    package func start() { loop.start(makeRole) }

    /// Closes the connection; what is unanswered becomes `unknown(.stopped)`.
    package func stop() async {
        loop.stop()
        await loop.ended()
    }

    /// Why nothing can be sent now, nil where it can.
    package var obstacle: BrokerError? { pending.obstacle }

    /// Publishes the messages in order and says what became of each, in the same order, at most `limit` later.
    ///
    /// Without a connection, or while the broker is blocked, the messages wait; time up, they are taken back if they
    /// were not sent yet.
    package func publish(_ messages: [OutgoingMessage], within limit: Duration = .seconds(30)) async -> [PublishOutcome]
    {
        guard !messages.isEmpty else { return [] }
        let deadline = ContinuousClock.now + limit
        return await withCheckedContinuation { continuation in
            let batch = PublishBatch(count: messages.count) { continuation.resume(returning: $0) }
            let tickets = messages.enumerated().map {
                PublishTicket(message: $1, index: $0, batch: batch, deadline: deadline)
            }
            // Not the connection's thread: it may be inside a call that waits for the socket.
            let timer = Task { [pending] in
                try await Task.sleep(until: deadline, clock: .continuous)
                for ticket in tickets { ticket.settle(.unknown(pending.obstacle ?? .timedOut("no confirm came"))) }
            }
            batch.whenDone { timer.cancel() }
            pending.add(tickets)
        }
    }

    /// Publishes one message.
    package func publish(_ message: OutgoingMessage, within limit: Duration = .seconds(30)) async -> PublishOutcome {
        await publish([message], within: limit)[0]
    }
}

/// The outcomes of messages published together, delivered once all are known; later news of one message changes
/// nothing.
final class PublishBatch: Sendable {
    private struct State {
        var outcomes: [PublishOutcome?]
        var missing: Int
        var cleanUp: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>
    private let done: @Sendable ([PublishOutcome]) -> Void

    init(count: Int, done: @escaping @Sendable ([PublishOutcome]) -> Void) {
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
        self.done = done
    }

    /// Runs `action` once all outcomes are known. Called before any of them is.
    func whenDone(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.cleanUp = action } }

    func settle(_ index: Int, _ outcome: PublishOutcome) {
        let finished = state.withLock { state -> (outcomes: [PublishOutcome], cleanUp: (@Sendable () -> Void)?)? in
            guard state.outcomes[index] == nil else { return nil }
            state.outcomes[index] = outcome
            state.missing -= 1
            return state.missing == 0 ? (state.outcomes.compactMap(\.self), state.cleanUp) : nil
        }
        guard let finished else { return }
        finished.cleanUp?()
        done(finished.outcomes)
    }
}

/// One message and where its outcome goes.
struct PublishTicket: Sendable {
    let message: OutgoingMessage
    let index: Int
    let batch: PublishBatch
    let deadline: ContinuousClock.Instant

    func settle(_ outcome: PublishOutcome) { batch.settle(index, outcome) }
}

/// Where messages from any task wait for the connection's thread.
final class PublishQueue: Sendable {
    private struct State {
        var queue: ArraySlice<PublishTicket> = []
        var isClosed = false
        var obstacle: BrokerError? = .lost("there is no connection yet")
    }

    private let state = Mutex(State())
    private let signal: ThreadSignal

    init(signal: ThreadSignal) { self.signal = signal }

    /// Why messages wait, if there is a reason beyond a slow answer.
    var obstacle: BrokerError? {
        get { state.withLock { $0.obstacle } }
        set { state.withLock { $0.obstacle = newValue } }
    }

    func add(_ tickets: [PublishTicket]) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.queue += tickets }
            return state.isClosed
        }
        if isClosed { for ticket in tickets { ticket.settle(.unknown(.stopped)) } } else { signal.raise() }
    }

    /// The next message.
    func take() -> PublishTicket? { state.withLock { $0.queue.popFirst() } }

    /// Forgets what has waited too long; its caller has an answer.
    func dropOverdue() {
        let now = ContinuousClock.now
        state.withLock { state in
            if state.queue.contains(where: { $0.deadline < now }) { state.queue.removeAll { $0.deadline < now } }
        }
    }

    /// Takes nothing any more. Gives what still waits.
    func close() -> [PublishTicket] {
        state.withLock { state in
            state.isClosed = true
            defer { state.queue = [] }
            return Array(state.queue)
        }
    }
}

/// The publisher's part on the connection's thread.
private final class PublisherRole: SessionRole {
    private static let window = 256
    private static let byteWindow = 8 << 20
    private static let unsentLimit = 128 << 10
    private let topology: Topology?
    private let pending: PublishQueue
    private var ledger = ConfirmLedger<PublishTicket>()
    private var isBlocked = false
    /// When the topology was declared last.
    private var declared = ContinuousClock.now

    init(topology: Topology?, pending: PublishQueue) {
        self.topology = topology
        self.pending = pending
    }

    func begin(_ session: Session) throws(BrokerError) {
        isBlocked = false
        if let topology { try session.declare(topology) }
        declared = .now
        try session.selectConfirms()
        pending.obstacle = nil
    }

    func handle(_ event: SessionEvent, _ session: Session) throws(BrokerError) {
        switch event {
        case .settled(let tag, let multiple, let isRefused):
            for (ticket, outcome) in ledger.settle(tag, multiple: multiple, isRefused: isRefused) {
                ticket.settle(outcome)
            }
        case .returned(_, let text, let message) where lacksQueue(message.exchange):
            // Somebody deleted it: the next connection declares it again, and then the message is sent again.
            throw .lost("no queue takes \(message.routingKey) from \(message.exchange): \(text)")
        case .returned(let code, let text, let message):
            ledger.returned(
                exchange: message.exchange, routingKey: message.routingKey, messageID: message.properties.messageID,
                as: .returned(code: code, text: text))
        case .blocked(let reason):
            isBlocked = true
            pending.obstacle = .timedOut("the broker is blocked: \(reason)")
        case .unblocked:
            isBlocked = false
            pending.obstacle = nil
        default: break
        }
    }

    /// Whether a queue of the topology's has gone from an exchange of it, as far as it was declared long enough ago for
    /// that to help.
    private func lacksQueue(_ exchange: String) -> Bool {
        (topology?.exchanges.contains { $0.name == exchange } ?? false) && declared.duration(to: .now) > .seconds(60)
    }

    func work(_ session: Session, listen: () throws(BrokerError) -> Void) throws(BrokerError) {
        pending.dropOverdue()
        // A message at a time: between two of them confirms are heard, and that the broker is blocked. A socket that
        // does not drain says so before the broker does; the confirm of what fills it signals the loop.
        while !isBlocked, ledger.count < Self.window, ledger.bytes < Self.byteWindow,
            session.unsentBytes < Self.unsentLimit, let ticket = pending.take()
        {
            try publish(ticket, session)
            try listen()
        }
    }

    private func publish(_ ticket: PublishTicket, _ session: Session) throws(BrokerError) {
        if let flaw = ticket.message.flaw { return ticket.settle(.unknown(.badMessage(flaw))) }
        ledger.add(ticket.message, ticket)
        do throws(BrokerError) { try session.publish(ticket.message) } catch .badMessage(let what) {
            ticket.settle(.unknown(.badMessage(what)))
            throw .lost("a message could not be written: \(what)")
        }
    }

    func idle(_ reason: BrokerError) {
        pending.obstacle = reason
        for ticket in ledger.reset() { ticket.settle(.unknown(reason)) }
        pending.dropOverdue()
        if reason == .stopped { for ticket in pending.close() { ticket.settle(.unknown(.stopped)) } }
    }
}
