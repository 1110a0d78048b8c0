import Glibc
import Synchronization

/// One look through a queue: what waits in it now, oldest first, at most so many.
///
/// Whatever is not acknowledged by ``stop()`` goes back to the queue; where not all was looked at, behind the rest.
package final class Backlog: Sendable {
    private let deliveries: AsyncThrowingStream<Delivery, any Error>
    private let loop: ConnectionLoop
    private let count = SharedNumber()
    private let asked = SharedNumber()
    private let makeRole: @Sendable () -> any SessionRole

    /// A look that begins with ``start()``. A body longer than `maximumBodyBytes` is dropped; its delivery says so. As
    /// many are fetched ahead as `heldBytes` hold of the longest, at least one, at most what AMQP has a number for.
    package init(
        _ address: BrokerAddress, queue: String, limit: Int, maximumBodyBytes: Int = 64 << 20,
        heldBytes: Int = 256 << 20, name: String = "atelier-backlog"
    ) {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Delivery.self)
        let loop = ConnectionLoop(address, name: name, maximumBodyBytes: maximumBodyBytes, report: { _ in })
        let answers = AnswerQueue(signal: loop.signal)
        deliveries = stream
        self.loop = loop
        let window = min(Int(UInt16.max), max(1, heldBytes / max(1, maximumBodyBytes)))
        makeRole = { [count, asked] in
            BacklogRole(
                queue: queue, limit: limit, window: window, answers: answers, deliveries: continuation, asked: asked
            ) { count.value = $0 }
        }
    }

    /// How many messages waited when the look began, beyond its limit too; known once ``next()`` has given something.
    package var waiting: Int { count.value }

    /// Connects and begins.
    package func start() { loop.start(makeRole) }

    /// The next message; nil after the last one that waited when the look began. One task asks at a time.
    /// - Throws: ``BrokerError`` where the connection is lost or the queue is not there.
    package func next() async throws -> Delivery? {
        asked.value += 1
        loop.signal.raise()
        var iterator = deliveries.makeAsyncIterator()
        return try await iterator.next()
    }

    /// Closes the connection after the answers given so far are sent.
    package func stop() async {
        loop.stop()
        await loop.ended()
    }
}

/// A number that one writes and others read.
private final class SharedNumber: Sendable {
    private let number = Mutex(0)
    var value: Int {
        get { number.withLock { $0 } }
        set { number.withLock { $0 = newValue } }
    }
}

/// The look's part on the connection's thread. A second session never looks again: the first one's failure was said.
private final class BacklogRole: SessionRole {
    private let queue: String
    private let limit: Int
    /// How many are fetched ahead.
    private let window: Int
    private let answers: AnswerQueue
    private let deliveries: AsyncThrowingStream<Delivery, any Error>.Continuation
    private let asked: SharedNumber
    private var session = 0
    private var missing: Int?
    private var given = 0
    private var unanswered: Set<UInt64> = []
    /// Those of them that the consumer of now was given, and how many the broker gives it before it answers.
    private var current: (tags: Set<UInt64>, prefetch: Int) = ([], 0)
    private let counted: (Int) -> Void

    init(
        queue: String, limit: Int, window: Int, answers: AnswerQueue,
        deliveries: AsyncThrowingStream<Delivery, any Error>.Continuation, asked: SharedNumber,
        counted: @escaping (Int) -> Void
    ) {
        (self.queue, self.limit, self.window) = (queue, limit, window)
        self.answers = answers
        self.deliveries = deliveries
        self.asked = asked
        self.counted = counted
    }

    func begin(_ connection: Session) throws(BrokerError) {
        session = answers.beginSession()
        unanswered = []
        current = ([], 0)
        guard missing == nil else { return }
        let waiting = try connection.count(queue)
        let count = min(waiting, limit)
        counted(waiting)
        missing = count
        if count == 0 { deliveries.finish() } else { try consume(min(window, count), connection) }
    }

    private func consume(_ prefetch: Int, _ connection: Session) throws(BrokerError) {
        current = ([], prefetch)
        try connection.consume(queue, prefetch: UInt16(prefetch))
    }

    func handle(_ event: SessionEvent, _ connection: Session) throws(BrokerError) {
        switch event {
        case .delivered(let message):
            let tag = message.tag
            unanswered.insert(tag)
            current.tags.insert(tag)
            given += 1
            deliveries.yield(
                Delivery(message) { [answers, session] answer in answers.answer(tag, of: session, answer) })
            missing = (missing ?? 1) - 1
            if missing == 0 { deliveries.finish() }
        case .consumerCancelled: throw .queueGone(queue)
        default: break
        }
    }

    func work(_ connection: Session, listen: () throws(BrokerError) -> Void) throws(BrokerError) {
        for (tag, answer) in answers.take() {
            unanswered.remove(tag)
            current.tags.remove(tag)
            switch answer {
            case .acknowledge: try connection.acknowledge(tag)
            case .reject(let requeue): try connection.reject(tag, requeue: requeue)
            }
        }
        try fetchMore(connection)
    }

    /// Whoever asks and has all that was fetched gets more, though it answers none: what an earlier consumer was given
    /// does not count for the next one. In a second session nothing was fetched.
    private func fetchMore(_ connection: Session) throws(BrokerError) {
        guard let missing, missing > 0, asked.value > given, !current.tags.isEmpty,
            current.tags.count == current.prefetch
        else { return }
        try connection.cancel()
        try consume(min(window, missing), connection)
    }

    /// Gives the rest back, and says goodbye only once it waits again, so that whoever looks next finds it. It consumes
    /// no longer before it gives back: what a consumer rejects, the broker may deliver to the same consumer again.
    /// Where somebody else takes what was given back, a moment is enough.
    func end(_ connection: Session) throws(BrokerError) {
        guard !unanswered.isEmpty else { return }
        try connection.cancel()
        for tag in unanswered.sorted() { try connection.reject(tag, requeue: true) }
        let deadline = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < deadline, try connection.count(queue) < unanswered.count { usleep(20_000) }
    }

    func idle(_ reason: BrokerError) {
        _ = answers.beginSession()
        deliveries.finish(throwing: reason)
    }
}
