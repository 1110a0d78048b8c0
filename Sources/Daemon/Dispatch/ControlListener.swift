import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// What anybody may say to all daemons at once, on the fanout exchange of control:
/// `{"action":"cancel","job":"…","reason":"…"}`, `{"action":"pause"}`, `{"action":"resume"}`.
package struct ControlListener: Service {
    let consumer: Consumer
    let store: Store
    let dispatcher: Dispatcher
    let condition: ServiceHealth
    let logger: Logger

    package func run() async throws {
        consumer.start()
        await cancelWhenGracefulShutdown {
            for await delivery in consumer.deliveries {
                await apply(Data(delivery.body))
                delivery.acknowledge()
                if Task.isCancelled { break }
            }
        }
        await consumer.stop()
    }

    private func apply(_ body: Data) async {
        let message = try? JSONValue(json: body)
        switch message?["action"]?.string {
        case "cancel":
            guard let job = message?["job"]?.string.flatMap(UUID.init(uuidString:)) else { return complain(body) }
            do { _ = try await store.cancel(job, reason: message?["reason"]?.string) } catch {
                logger.error("job not cancelled", metadata: ["job.id": "\(job)", "error": "\(error)"])
            }
            await dispatcher.cancel(job)
        case "pause": await order(paused: true, isWritten: message?["written"] == .bool(true))
        case "resume": await order(paused: false, isWritten: message?["written"] == .bool(true))
        default: complain(body)
        }
    }

    /// What is not written down yet every daemon that hears it writes down, for the daemons to come.
    private func order(paused: Bool, isWritten: Bool) async {
        do {
            let order = isWritten ? try await store.pauseOrder() : try await store.order(paused: paused)
            if condition.apply(order) { dispatcher.poll() }
        } catch {
            let consequence = isWritten ? "it is read with the next heartbeat" : "say it again"
            logger.error(
                "not \(paused ? "paused" : "resumed"), PostgreSQL is needed: \(consequence)",
                metadata: ["error": "\(error)"])
        }
    }

    private func complain(_ body: Data) {
        logger.warning(
            "control message not understood",
            metadata: [
                "body": "\(String(decoding: body.prefix(200), as: UTF8.self))",
                "allowed": "action: cancel with job, pause, resume",
            ])
    }
}
