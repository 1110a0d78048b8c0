import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Sends what transactions decided to say: each message until the broker confirms it, always under the same message id.
/// Progress and metrics go beside it, without a guarantee.
package struct OutboxPublisher: Service {
    let publisher: Publisher
    let store: Store
    let live: LiveEvents
    let eventsExchange: String
    let signals: AsyncStream<Void>
    let logger: Logger

    package func run() async throws {
        publisher.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sendLive() }
            await cancelWhenGracefulShutdown {
                for await _ in signals {
                    await sendWaiting()
                    if Task.isCancelled { break }
                }
            }
            // The last jobs have ended by now; what they said should leave with us, if the broker is there.
            await sendWaiting(until: .now + .seconds(5))
            live.finish()
            group.cancelAll()
            // Ends what waits for an answer.
            await publisher.stop()
        }
    }

    /// Sends until nothing is left that is due, or the time is up. A daemon without a broker leaves the messages to one
    /// that has it.
    private func sendWaiting(until end: ContinuousClock.Instant? = nil) async {
        var isInterrupted = false
        var isAtThem = false
        while !Task.isCancelled, !isInterrupted, publisher.obstacle == nil,
            end.map({ ContinuousClock.now < $0 }) ?? true
        {
            guard let waiting = await waiting() else { break }
            isAtThem = true
            guard !waiting.isEmpty else { break }
            let outcomes = await publisher.publish(
                waiting.map(outgoing), within: end.map { ContinuousClock.now.duration(to: $0) } ?? .seconds(30))
            var confirmed: [Int64] = []
            var refused = 0
            for (message, outcome) in zip(waiting, outcomes) {
                var reason: String?
                switch outcome {
                case .confirmed: confirmed.append(message.id)
                case .refused: reason = "the broker refused it"
                case .returned(_, let text): reason = "no queue takes it: \(text)"
                case .unknown(.badMessage(let flaw)): reason = flaw
                case .unknown: isInterrupted = true
                }
                if let reason, await note(message, reason) { refused += 1 }
            }
            guard await hasNoted(confirmed), !confirmed.isEmpty || refused > 0 else { break }
        }
        guard isAtThem else { return }
        try? await store.leaveOutbox()
        // Whose broker answers sends what is left: it gets the time to.
        if isInterrupted, end == nil { try? await Task.sleep(for: .seconds(.random(in: 1...3))) }
    }

    private func waiting() async -> [OutboxMessage]? {
        do { return try await store.outbox(limit: 256) } catch {
            logger.warning("messages wait: they cannot be read", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Confirmed but not noted is sent again under the same id: later, for at once would be without end.
    private func hasNoted(_ confirmed: [Int64]) async -> Bool {
        do {
            if !confirmed.isEmpty { try await store.confirmed(confirmed) }
            return true
        } catch {
            logger.warning(
                "messages will be sent again: that they were could not be written down",
                metadata: ["messages": "\(confirmed.count)", "error": "\(error)"])
            return false
        }
    }

    /// Whether it is written down; then it waits. Said aloud the first time and the last.
    private func note(_ message: OutboxMessage, _ reason: String) async -> Bool {
        guard let fate = try? await store.unsent(message.id, reason) else { return false }
        logger.log(
            level: fate == .again ? .debug : .warning, Self.words(fate),
            metadata: ["outbox.id": "\(message.id)", "routing_key": "\(message.routingKey)", "reason": "\(reason)"])
        return true
    }

    private static func words(_ fate: Store.Unsent) -> Logger.Message {
        switch fate {
        case .first, .again: "message not delivered"
        case .givenUp: "answer given up"
        case .setAside: "message set aside; atelier.resend_set_aside() tries it again"
        }
    }

    /// What a queue must take: Atelier's own is bound to these, and without it they would be lost.
    private static let outcomes: Set = ["completed", "discarded", "cancelled", "rejected"]

    private func outgoing(_ message: OutboxMessage) -> OutgoingMessage {
        OutgoingMessage(
            exchange: message.isReply ? "" : eventsExchange, routingKey: message.routingKey,
            properties: properties(
                id: message.eventID, event: message.event, subject: message.job ?? "",
                correlationID: message.correlationID),
            body: Array(message.body), isMandatory: message.isReply || Self.outcomes.contains(message.event))
    }

    private func properties(id: String, event: String, subject: String, correlationID: String?) -> MessageProperties {
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.messageID = id
        properties.type = "atelier.job.\(event).v1"
        properties.correlationID = correlationID
        properties.applicationID = "atelier"
        properties.headers = JobEvent.headers(id: id, event: event, subject: subject, time: .now).mapValues {
            .string($0)
        }
        return properties
    }

    private func sendLive() async {
        for await event in live.stream where !Task.isCancelled && publisher.obstacle == nil {
            let id = event.id.uuidString.lowercased()
            let message = OutgoingMessage(
                exchange: eventsExchange, routingKey: event.routingKey,
                properties: properties(
                    id: id, event: event.event, subject: event.body["job"]?.string ?? "",
                    correlationID: event.body["message_id"]?.string),
                body: Array(event.body.line), isMandatory: false)
            _ = await publisher.publish([message], within: .seconds(5))
        }
    }
}
