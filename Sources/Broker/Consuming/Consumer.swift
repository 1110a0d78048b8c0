import Synchronization

/// Reads a queue over a connection of its own, which it restores whenever it is lost.
///
/// At most `prefetch` deliveries are unanswered at a time, so ``deliveries`` never grows beyond that, nor beyond
/// `heldBytes` and one message.
package final class Consumer: Sendable {
    /// Which queue is read.
    package enum Source: Sendable, Equatable {
        /// A named queue.
        case queue(String)
        /// A queue of this consumer alone, gone with its connection, bound to an exchange.
        case privateQueue(exchange: String, routingKey: String)
        /// A queue of this consumer alone, gone with its connection, that answers go to by its name.
        case answers(queue: String)
    }

    /// The messages, in the order of the queue; ends after ``stop()``.
    package let deliveries: AsyncStream<Delivery>
    private let loop: ConnectionLoop
    private let answers: AnswerQueue
    private let makeRole: @Sendable () -> any SessionRole

    /// A consumer that does nothing before ``start()``, and takes nothing before ``resume()`` where it `isPaused`.
    /// `topology` is declared on every connection. A body longer than `maximumBodyBytes` is dropped; its delivery says
    /// so. `report` is called from the connection's thread and must not block.
    package init(
        _ address: BrokerAddress, source: Source, topology: Topology? = nil, prefetch: UInt16 = 32,
        maximumBodyBytes: Int = 64 << 20, heldBytes: Int = .max, isPaused: Bool = false,
        name: String = "atelier-consumer", report: @escaping @Sendable (ConnectionEvent) -> Void = { _ in }
    ) {
        let (stream, continuation) = AsyncStream.makeStream(of: Delivery.self)
        let loop = ConnectionLoop(address, name: name, maximumBodyBytes: maximumBodyBytes, report: report)
        let answers = AnswerQueue(signal: loop.signal)
        answers.pause(isPaused)
        deliveries = stream
        self.loop = loop
        self.answers = answers
        let window = PrefetchWindow(most: prefetch, largestBody: maximumBodyBytes, budget: heldBytes)
        makeRole = {
            ConsumerRole(
                source: source, topology: topology, window: window, answers: answers, deliveries: continuation)
        }
    }

    /// Connects, and goes on connecting until it works.
    package func start() { loop.start(makeRole) }

    /// Closes the connection after the answers given so far are sent; unanswered deliveries go back to the queue.
    package func stop() async {
        loop.stop()
        await loop.ended()
    }

    /// Takes no deliveries for now; what was delivered may still be answered.
    package func pause() { answers.pause(true) }

    /// Takes deliveries again.
    package func resume() { answers.pause(false) }
}

/// Where answers from any task wait for the connection's thread.
final class AnswerQueue: Sendable {
    private struct State {
        var session = 0
        var answers: [(tag: UInt64, answer: DeliveryAnswer)] = []
        var isPaused = false
    }

    private let state = Mutex(State())
    private let signal: ThreadSignal

    init(signal: ThreadSignal) { self.signal = signal }

    /// A new session begins: tags of the old one mean nothing any more.
    func beginSession() -> Int {
        state.withLock { state in
            state.session += 1
            state.answers = []
            return state.session
        }
    }

    /// An answer to the message `tag` of a session; too late, it is dropped.
    func answer(_ tag: UInt64, of session: Int, _ answer: DeliveryAnswer) {
        let isDue = state.withLock { state in
            guard state.session == session else { return false }
            state.answers.append((tag, answer))
            return true
        }
        if isDue { signal.raise() }
    }

    /// All answers that wait.
    func take() -> [(tag: UInt64, answer: DeliveryAnswer)] {
        state.withLock { state in
            defer { state.answers = [] }
            return state.answers
        }
    }

    func pause(_ isPaused: Bool) {
        state.withLock { $0.isPaused = isPaused }
        signal.raise()
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }
}

/// The consumer's part on the connection's thread.
private final class ConsumerRole: SessionRole {
    private let source: Consumer.Source
    private let topology: Topology?
    private let emptyWindow: PrefetchWindow
    private let answers: AnswerQueue
    private let deliveries: AsyncStream<Delivery>.Continuation
    private var session = 0
    private var unanswered = UnansweredTags()
    /// The bytes of each delivery that is not answered.
    private var bytes: [UInt64: Int] = [:]
    private var window: PrefetchWindow
    private var queue = ""
    /// How many the broker was asked for; nil while nothing is consumed.
    private var prefetch: UInt16?
    /// Whether that was as many as ever.
    private var wasOpen = false

    init(
        source: Consumer.Source, topology: Topology?, window: PrefetchWindow, answers: AnswerQueue,
        deliveries: AsyncStream<Delivery>.Continuation
    ) {
        self.source = source
        self.topology = topology
        (emptyWindow, self.window) = (window, window)
        self.answers = answers
        self.deliveries = deliveries
    }

    func begin(_ connection: Session) throws(BrokerError) {
        session = answers.beginSession()
        (unanswered, bytes, window) = (UnansweredTags(), [:], emptyWindow)
        prefetch = nil
        if let topology { try connection.declare(topology) }
        switch source {
        case .queue(let name): queue = name
        case .privateQueue(let exchange, let key):
            queue = try connection.declarePrivateQueue(exchange: exchange, routingKey: key)
        case .answers(let name): queue = try connection.declarePrivateQueue(name)
        }
        try answerAndConsume(connection)
    }

    func handle(_ event: SessionEvent, _ connection: Session) throws(BrokerError) {
        switch event {
        case .delivered(let message) where message.isPutOff:
            // No longer consuming: what a consumer gives back, it would be given again at once.
            window.shrink()
            try cancel(connection)
            try connection.reject(message.tag, requeue: true)
        case .delivered(let message):
            let tag = message.tag
            unanswered.add(tag)
            bytes[tag] = message.body.count
            window.take(message.body.count)
            connection.bodyAllowance = window.allowance
            deliveries.yield(
                Delivery(message) { [answers, session] answer in answers.answer(tag, of: session, answer) })
        case .consumerCancelled: throw .queueGone(queue)
        default: break
        }
    }

    func work(_ connection: Session, listen: () throws(BrokerError) -> Void) throws(BrokerError) {
        try answerAndConsume(connection)
    }

    private func cancel(_ connection: Session) throws(BrokerError) {
        if prefetch != nil { try connection.cancel() }
        prefetch = nil
    }

    /// Sends the answers given so far; consumes, or stops consuming, as asked.
    private func answerAndConsume(_ connection: Session) throws(BrokerError) {
        var acknowledged: Set<UInt64> = []
        for (tag, answer) in answers.take() {
            window.release(bytes.removeValue(forKey: tag) ?? 0)
            switch answer {
            case .acknowledge: acknowledged.insert(tag)
            case .reject(let requeue):
                unanswered.remove(tag)
                try connection.reject(tag, requeue: requeue)
            }
        }
        if let last = unanswered.removeFirst(while: acknowledged.contains) {
            try connection.acknowledge(last, multiple: true)
        }
        for tag in acknowledged where unanswered.remove(tag) { try connection.acknowledge(tag) }
        connection.bodyAllowance = window.allowance
        if answers.isPaused { return try cancel(connection) }
        // A consumer's number does not count what an earlier one left unanswered.
        let wanted = window.isOpen ? window.current : UInt16(max(0, Int(window.fewest) - bytes.count))
        guard prefetch == nil || window.isOpen != wasOpen || wanted > prefetch! && bytes.isEmpty else { return }
        try cancel(connection)
        guard wanted > 0 else { return }
        try connection.consume(queue, prefetch: wanted)
        (prefetch, wasOpen) = (wanted, window.isOpen)
    }

    func idle(_ reason: BrokerError) {
        _ = answers.beginSession()
        if reason == .stopped { deliveries.finish() }
    }
}
