import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// What is said to all daemons at once, on the fanout exchange of control:
/// `{"action":"cancel","job":"…","reason":"…"}`, `{"action":"pause"}`, `{"action":"resume"}`, `{"action":"estimate",
/// "job":{…}}`. A tenant may cancel its own jobs and ask what one would take, an operator cancel any, and pause and
/// resume; the broker vouches for who says so.
package struct ControlListener: Service {
    let consumer: Consumer
    let store: Store
    let dispatcher: Dispatcher
    let tenants: TenantRules
    let condition: ServiceHealth
    let logger: Logger
    /// Takes who asks for an estimate.
    let asked: @Sendable (EstimateQuestion) -> Void

    /// A job without its pictures is longer than that in no case that is meant well.
    static let largestBody = 1 << 20

    package func run() async throws {
        consumer.start()
        await cancelWhenGracefulShutdown {
            for await delivery in consumer.deliveries {
                await apply(delivery, from: delivery.properties.userID ?? "")
                delivery.acknowledge()
                if Task.isCancelled { break }
            }
        }
        await consumer.stop()
    }

    private func apply(_ delivery: Delivery, from user: String) async {
        let body = Data(delivery.body)
        let message = try? JobSpec.parsed(body)
        switch message?["action"]?.string {
        case "cancel":
            guard let job = message?["job"]?.string.flatMap(UUID.init(uuidString:)) else { return complain(body) }
            await cancel(job, reason: message?["reason"]?.string, by: user)
        case "pause", "resume":
            guard tenants.operators.contains(user) else { return refuse(body, from: user) }
            await order(paused: message?["action"]?.string == "pause", isWritten: message?["written"] == .bool(true))
        case "estimate":
            guard let job = message?["job"] else { return complain(body) }
            ask(job, delivery, by: user, looksAtConcepts: message?["concepts"] != false)
        default: complain(body)
        }
    }

    /// Answers go to queues of the asker's alone.
    private func ask(_ job: JSONValue, _ delivery: Delivery, by user: String, looksAtConcepts: Bool) {
        guard let queue = delivery.properties.replyTo, let tenant = tenants.tenant(of: delivery.properties),
            tenants.allowsReply(to: queue, for: tenant)
        else { return refuse(Data("estimate".utf8), from: user) }
        asked(
            EstimateQuestion(
                job: job, tenant: looksAtConcepts ? tenant : nil, replyTo: queue,
                correlationID: delivery.properties.correlationID))
    }

    /// Another tenant's job is as one that nobody has.
    private func cancel(_ job: UUID, reason: String?, by user: String) async {
        do {
            if !tenants.operators.contains(user), try await store.tenant(of: job) != user {
                return refuse(Data("cancel \(job)".utf8), from: user)
            }
            _ = try await store.cancel(job, reason: reason)
            await dispatcher.cancel(job)
        } catch {
            logger.error("job not cancelled", metadata: ["job.id": "\(job)", "error": "\(error)"])
        }
    }

    /// What is not written down yet every daemon that gets it writes down, for the daemons to come.
    private func order(paused: Bool, isWritten: Bool) async {
        do {
            let order = isWritten ? try await store.pauseOrder() : try await store.order(paused: paused)
            if condition.apply(order) { dispatcher.poll() }
        } catch {
            let consequence = isWritten ? "it is read with the next heartbeat" : "send it again"
            logger.error(
                "not \(paused ? "paused" : "resumed"), PostgreSQL is needed: \(consequence)",
                metadata: ["error": "\(error)"])
        }
    }

    private func refuse(_ body: Data, from user: String) {
        logger.warning(
            "control message refused",
            metadata: [
                "user_id": "\(user.isEmpty ? "none" : user.clipped(to: 100))",
                "body": "\(String(decoding: body.prefix(200), as: UTF8.self))",
                "allowed": "operators; a tenant may cancel jobs of its own, and ask for answers to queues of its own",
            ])
    }

    private func complain(_ body: Data) {
        logger.warning(
            "control message not understood",
            metadata: [
                "body": "\(String(decoding: body.prefix(200), as: UTF8.self))",
                "allowed": "action: cancel with a job's id, estimate with a job, pause, resume",
            ])
    }
}
