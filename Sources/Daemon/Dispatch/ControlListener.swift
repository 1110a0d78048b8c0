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
struct ControlListener: Service {
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
    /// As often is tried what fails although PostgreSQL is there, before others get their turn.
    private static let tries = 5

    /// A time in which PostgreSQL is waited for. What comes before its end waits too, if only behind others.
    private struct Hold {
        /// The newest order that was known when it began, or that was written down from here since.
        var known: PauseOrder
        var end = ContinuousClock.now
    }

    func run() async throws {
        consumer.start()
        await cancelWhenGracefulShutdown {
            var hold: Hold?
            for await delivery in consumer.deliveries {
                if let end = hold?.end, delivery.arrival > end { hold = nil }
                await apply(delivery, from: delivery.properties.userID ?? "", &hold)
                delivery.acknowledge()
                if Task.isCancelled { break }
            }
        }
        await consumer.stop()
    }

    private func apply(_ delivery: Delivery, from user: String, _ hold: inout Hold?) async {
        if delivery.isTooLong {
            return ask(.failure(Problems([Self.excess(of: delivery)])), delivery, by: user)
        }
        let body = Data(delivery.body)
        let message = try? JobSpec.parsed(body)
        switch message?["action"]?.string {
        case "cancel":
            guard let job = message?["job"]?.string.flatMap(UUID.init(uuidString:)) else { return complain(body) }
            await cancel(job, reason: message?["reason"]?.string, by: user, &hold)
        case "pause", "resume":
            guard tenants.operators.contains(user) else { return refuse(body, from: user) }
            await order(
                paused: message?["action"]?.string == "pause", isWritten: message?["written"] == .bool(true),
                said: delivery.arrival, &hold)
        case "estimate":
            guard case .object(let members)? = message else { return complain(body) }
            ask(EstimateRequest.read(members), delivery, by: user)
        default: complain(body)
        }
    }

    /// A question with its pictures in it, most likely.
    private static func excess(of delivery: Delivery) -> Problem {
        Problem(
            "", found: "a question of \(delivery.bodySize) bytes",
            allowed: """
                at most \(largestBody) bytes; for each picture {"artifact": "sha256:…"} with 64 zeros will do: \
                pictures only count
                """)
    }

    /// Answers go to queues of the asker's alone.
    private func ask(_ request: Result<EstimateRequest, Problems>, _ delivery: Delivery, by user: String) {
        guard let queue = delivery.properties.replyTo, let tenant = tenants.tenant(of: delivery.properties),
            tenants.allowsReply(to: queue, for: tenant)
        else { return refuse(Data("estimate".utf8), from: user) }
        let read = try? request.get()
        asked(
            EstimateQuestion(
                job: request.map(\.job), tenant: read?.usesConcepts == false ? nil : tenant,
                adapters: read?.adapters ?? [:], replyTo: queue, correlationID: delivery.properties.correlationID,
                asked: delivery.arrival))
    }

    /// Another tenant's job is as one that nobody has.
    private func cancel(_ job: UUID, reason: String?, by user: String, _ hold: inout Hold?) async {
        await insist(&hold, "job not cancelled: send it again", ["job.id": "\(job)"]) { _ in
            if !tenants.operators.contains(user), try await store.tenant(of: job) != user {
                return refuse(Data("cancel \(job)".utf8), from: user)
            }
            _ = try await store.cancel(job, reason: reason)
            await dispatcher.cancel(job)
        }
    }

    /// What is not written down yet every daemon that gets it writes down, for the daemons to come.
    private func order(paused: Bool, isWritten: Bool, said: ContinuousClock.Instant, _ hold: inout Hold?) async {
        let action = paused ? "paused" : "resumed"
        let consequence = isWritten ? "it is read with the next heartbeat" : "send it again"
        await insist(&hold, "not \(action): \(consequence)") { hold in
            let order =
                if isWritten {
                    try await store.pauseOrder()
                } else {
                    try await write(paused: paused, said: said, &hold)
                }
            if !isWritten, order.isPaused != paused {
                logger.warning("not \(action): another order was written down while this one waited")
            }
            if condition.apply(order) { dispatcher.poll() }
        }
    }

    /// Writes an order down; where it waited, not over what was written down since, unless that came before it from
    /// here.
    private func write(paused: Bool, said: ContinuousClock.Instant, _ hold: inout Hold?) async throws -> PauseOrder {
        guard let known = hold?.known else { return try await store.order(paused: paused) }
        let (order, isWritten) = try await store.order(
            paused: paused, saidBefore: said.duration(to: .now) / .seconds(1), knowing: known)
        if isWritten { hold?.known = order }
        return order
    }

    /// Does what PostgreSQL is needed for, again and again while that is away or writes nothing. The delivery is held
    /// meanwhile, and so is what was said after it: the queue is this connection's alone, and nobody would say it
    /// again. `failure` is logged where it comes to nothing.
    private func insist(
        _ hold: inout Hold?, _ failure: Logger.Message, _ metadata: Logger.Metadata = [:],
        _ act: (inout Hold?) async throws -> Void
    ) async {
        let known = condition.pause
        var (backoff, tries) = (Backoff(cap: 1), 0)
        defer { hold?.end = .now }
        while true {
            do {
                return try await act(&hold)
            } catch let error as StoreError where error.isTemporary && tries < Self.tries && !Task.isCancelled {
                if hold == nil {
                    logger.warning("a control message waits for PostgreSQL", metadata: ["error": "\(error)"])
                    hold = Hold(known: known)
                }
                if await isThere(beside: error) { tries += 1 }
                try? await Task.sleep(for: backoff.next())
            } catch {
                return logger.error(failure, metadata: metadata.merging(["error": "\(error)"]) { $1 })
            }
        }
    }

    private func isThere(beside error: StoreError) async -> Bool {
        guard !error.writesNothing else { return false }
        return (try? await store.takesWrites()) == true
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
