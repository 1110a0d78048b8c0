import Glibc
import Synchronization

/// One look through a queue: what waits in it now, oldest first, at most so many.
///
/// Whatever is not acknowledged by ``stop()`` goes back to the queue; where not all was looked at, behind the rest.
package final class Backlog: Sendable {
    /// The messages; ends after the last one that waited when the look began, and throws when the connection is lost or
    /// the queue is not there.
    package let deliveries: AsyncThrowingStream<Delivery, any Error>
    private let loop: ConnectionLoop
    private let count = WaitingCount()
    private let makeRole: @Sendable () -> any SessionRole

    /// A look that begins with ``start()``. A body longer than `maximumBodyBytes` is dropped; its delivery says so.
    package init(
        _ address: BrokerAddress, queue: String, limit: UInt16, maximumBodyBytes: Int = 64 << 20,
        name: String = "atelier-backlog"
    ) {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Delivery.self)
        let loop = ConnectionLoop(address, name: name, maximumBodyBytes: maximumBodyBytes, report: { _ in })
        let answers = AnswerQueue(signal: loop.signal)
        deliveries = stream
        self.loop = loop
        makeRole = { [count] in
            BacklogRole(queue: queue, limit: limit, answers: answers, deliveries: continuation) { count.value = $0 }
        }
    }

    /// How many messages waited when the look began, beyond its limit too; known once ``deliveries`` has given one or
    /// ended.
    package var waiting: Int { count.value }

    /// Connects and begins.
    package func start() { loop.start(makeRole) }

    /// Closes the connection after the answers given so far are sent.
    package func stop() async {
        loop.stop()
        await loop.ended()
    }
}

/// A number the connection's thread writes and anybody reads.
private final class WaitingCount: Sendable {
    private let count = Mutex(0)
    var value: Int {
        get { count.withLock { $0 } }
        set { count.withLock { $0 = newValue } }
    }
}

/// The look's part on the connection's thread. A second session never looks again: the first one's failure was said.
private final class BacklogRole: SessionRole {
    private let queue: String
    private let limit: UInt16
    private let answers: AnswerQueue
    private let deliveries: AsyncThrowingStream<Delivery, any Error>.Continuation
    private var session = 0
    private var missing: Int?
    private var unanswered: Set<UInt64> = []
    private let counted: (Int) -> Void

    init(
        queue: String, limit: UInt16, answers: AnswerQueue,
        deliveries: AsyncThrowingStream<Delivery, any Error>.Continuation, counted: @escaping (Int) -> Void
    ) {
        self.queue = queue
        self.limit = limit
        self.answers = answers
        self.deliveries = deliveries
        self.counted = counted
    }

    func begin(_ connection: Session) throws(BrokerError) {
        session = answers.beginSession()
        unanswered = []
        guard missing == nil else { return }
        let waiting = try connection.count(queue)
        let count = min(waiting, Int(limit))
        counted(waiting)
        missing = count
        if count == 0 { deliveries.finish() } else { try connection.consume(queue, prefetch: UInt16(count)) }
    }

    func handle(_ event: SessionEvent, _ connection: Session) throws(BrokerError) {
        switch event {
        case .delivered(let message):
            let tag = message.tag
            unanswered.insert(tag)
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
            switch answer {
            case .acknowledge: try connection.acknowledge(tag)
            case .reject(let requeue): try connection.reject(tag, requeue: requeue)
            }
        }
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
