import Broker
import Jobs
import Synchronization

/// A delivery, and what an engine found in it; nil where none looked, or none could.
struct Arrival: Sendable {
    let delivery: Delivery
    var report: InspectionReport?
}

/// Deliveries that wait for the tables. While one transaction commits the next ones gather, so that a burst costs few
/// commits and a single message waits for nobody.
final class DeliveryBatches: Sendable {
    private let waiting = Mutex<[Arrival]>([])
    /// Says that some wait.
    let arrivals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (arrivals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ arrival: Arrival) { add([arrival]) }

    func add(_ arrivals: some Sequence<Arrival>) {
        waiting.withLock { $0.append(contentsOf: arrivals) }
        signal.yield()
    }

    /// The oldest ones, at most so many.
    func take(_ count: Int) -> [Arrival] {
        waiting.withLock { waiting in
            let taken = Array(waiting.prefix(count))
            waiting.removeFirst(taken.count)
            return taken
        }
    }
}
