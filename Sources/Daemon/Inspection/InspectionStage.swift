import Broker
import Foundation
import Jobs
import Store

/// Between the broker and the tables: has an engine look into every message that holds something to look into. Probes
/// hold nothing, and wait for nothing that does.
struct InspectionStage: Sendable {
    let consumer: Consumer
    let inspector: Inspector
    let tenants: TenantRules
    let store: Store
    let condition: ServiceHealth

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
        let found = try? await runBlocking { InspectionOrder(message: Data(delivery.body)) }
        guard var order = found else { return nil }
        order.adapters = await adapters(of: order, delivery)
        return await inspector.inspect(order) ?? .unavailable(for: order)
    }

    /// What the job's concepts weigh. While PostgreSQL is away nothing is counted of them: a message waits here for the
    /// engine alone.
    private func adapters(of order: InspectionOrder, _ delivery: Delivery) async -> [String: InspectionOrder.Adapter] {
        guard condition.has(.store), let tenant = tenants.tenant(of: delivery.properties), let spec = order.spec else {
            return [:]
        }
        return (try? await LearntConcepts(store: store).adapters(of: spec, tenant: tenant)) ?? [:]
    }
}
