import Broker
import Synchronization

/// Whether deliveries are taken: only while nobody has a reason against it.
final class IntakeGate: Sendable {
    /// Who may have a reason.
    enum Reason: Sendable { case start, fresh, doubtful }

    private let consumer: Consumer
    private let reasons = Mutex<Set<Reason>>([.start])

    /// Closed until the start is over.
    init(_ consumer: Consumer) { self.consumer = consumer }

    /// None are taken until this reason is gone.
    func close(_ reason: Reason) { reasons.withLock { if $0.insert(reason).inserted { consumer.pause() } } }

    /// This reason is gone.
    func open(_ reason: Reason) {
        reasons.withLock { if $0.remove(reason) != nil, $0.isEmpty { consumer.resume() } }
    }
}
