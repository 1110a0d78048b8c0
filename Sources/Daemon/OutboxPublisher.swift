import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Sends what transactions decided to say: each message until the broker confirms it, always under the same message id. Progress and
/// metrics go beside it, without a promise.
package struct OutboxPublisher: Service {
    let publisher: Publisher
    let store: Store
    let live: LiveEvents
    let eventsExchange: String
    let wakes: AsyncStream<Void>
    let logger: Logger

    package func run() async throws {
        publisher.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sendLive() }
            await cancelWhenGracefulShutdown {
                for await _ in wakes {
                    await sendWaiting()
                    if Task.isCancelled { break }
                }
            }
            // The last jobs have ended by now; what they said should leave with us, if the broker is there.
            await sendWaiting(within: .seconds(5))
            live.finish()
            group.cancelAll()
        }
        await publisher.stop()
    }

    private func sendWaiting(within limit: Duration = .seconds(30)) async {
        while !Task.isCancelled, let waiting = await waiting(), !waiting.isEmpty {
            let outcomes = await publisher.publish(waiting.map(outgoing), within: limit)
            var isInterrupted = false
            var confirmed: [Int64] = []
            for (message, outcome) in zip(waiting, outcomes) {
                switch outcome {
                case .confirmed: confirmed.append(message.id)
                case .refused: await note(message, "the broker refused it")
                case .returned(_, let text): await note(message, "no queue takes it: \(text)")
                case .unknown(.badMessage(let flaw)): await note(message, flaw)
                case .unknown: isInterrupted = true
                }
            }
            guard await hasNoted(confirmed), !isInterrupted, !confirmed.isEmpty else { break }
        }
        // Whose broker answers sends what is left: this daemon's may be away, another's not.
        try? await store.leaveOutbox()
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
            logger.warning("messages will be sent again: that they were could not be written down", metadata: ["messages": "\(confirmed.count)", "error": "\(error)"])
            return false
        }
    }

    private func note(_ message: OutboxMessage, _ reason: String) async {
        let isOver = (try? await store.unsent(message.id, reason)) ?? false
        logger.warning(
            isOver ? "answer given up" : "message not delivered",
            metadata: ["outbox.id": "\(message.id)", "routing_key": "\(message.routingKey)", "reason": "\(reason)"])
    }

    private func outgoing(_ message: OutboxMessage) -> OutgoingMessage {
        OutgoingMessage(
            exchange: message.isReply ? "" : eventsExchange, routingKey: message.routingKey,
            properties: properties(id: message.eventID, event: message.event, subject: message.job ?? "", correlationID: message.correlationID),
            body: Array(message.body), isMandatory: message.isReply)
    }

    private func properties(id: String, event: String, subject: String, correlationID: String?) -> MessageProperties {
        var properties = MessageProperties()
        properties.contentType = "application/json"
        properties.messageID = id
        properties.type = "atelier.job.\(event).v1"
        properties.correlationID = correlationID
        properties.applicationID = "atelier"
        properties.headers = JobEvent.headers(id: id, event: event, subject: subject, time: .now).mapValues { .string($0) }
        return properties
    }

    private func sendLive() async {
        for await event in live.stream {
            let id = event.id.uuidString.lowercased()
            let message = OutgoingMessage(
                exchange: eventsExchange, routingKey: event.routingKey,
                properties: properties(id: id, event: event.event, subject: event.body["job"]?.string ?? "", correlationID: event.body["message_id"]?.string),
                body: Array(event.body.line), isMandatory: false)
            _ = await publisher.publish([message], within: .seconds(5))
        }
    }
}
