import Broker
import Foundation
import Jobs

/// Between the broker and the tables: has an engine look into every message that holds something to look into. Probes
/// hold nothing, and wait for nothing that does.
struct InspectionStage: Sendable {
    let consumer: Consumer
    let inspector: Inspector

    /// Hands deliveries on as they come, those that were looked into in their order, until the consumer stops or the
    /// task is cancelled; then what is still looked into stays the broker's.
    func run(_ hand: @escaping @Sendable (Arrival) -> Void) async {
        let (deliveries, queue) = AsyncStream<Delivery>.makeStream()
        await inspector.prepare()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await delivery in consumer.deliveries {
                    if MessageReader.isProbe(delivery) {
                        hand(Arrival(delivery: delivery))
                    } else {
                        queue.yield(delivery)
                    }
                }
                queue.finish()
            }
            group.addTask { await inspect(deliveries, hand) }
        }
    }

    private func inspect(_ deliveries: AsyncStream<Delivery>, _ hand: (Arrival) -> Void) async {
        await withTaskCancellationHandler {
            for await delivery in deliveries {
                let report = await report(on: delivery)
                if Task.isCancelled { return }
                hand(Arrival(delivery: delivery, report: report))
            }
        } onCancel: {
            Task { await inspector.close() }
        }
        await inspector.close()
    }

    private func report(on delivery: Delivery) async -> InspectionReport? {
        let order = try? await runBlocking { InspectionOrder(message: Data(delivery.body)) }
        guard let order else { return nil }
        return await inspector.inspect(order) ?? .unavailable(for: order)
    }
}
