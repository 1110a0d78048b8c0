import Broker
import Synchronization

/// Deliveries that wait for the tables. While one transaction commits the next ones gather, so that a burst costs few
/// commits and a single message waits for nobody.
final class DeliveryBatches: Sendable {
    private let waiting = Mutex<[Delivery]>([])
    /// Says that some wait.
    let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func add(_ delivery: Delivery) { add([delivery]) }

    func add(_ deliveries: some Sequence<Delivery>) {
        waiting.withLock { $0.append(contentsOf: deliveries) }
        arrival.yield()
    }

    /// The oldest ones, at most so many.
    func take(_ count: Int) -> [Delivery] {
        waiting.withLock { waiting in
            let taken = Array(waiting.prefix(count))
            waiting.removeFirst(taken.count)
            return taken
        }
    }
}
