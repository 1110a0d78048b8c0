import Broker
import Foundation
import Jobs
import Logging
import Store

/// Sends the messages of one lane of the outbox, and writes down what became of each.
package struct OutboxSender: Sendable {
    /// A body of more bytes goes alone: a broker's limit is unknown, and what is over it closes the channel.
    private static let largeBody = 1 << 20
    /// As many bytes of bodies are loaded at a time, and one message more.
    private static let loadedBytes = 8 << 20
    /// So often the broker may refuse a message for what it is; then it is set aside.
    private static let mostTries = 5

    let lane: OutboxLane
    let publisher: Publisher
    let store: Store
    let eventsExchange: String
    let condition: ServiceHealth
    let logger: Logger
    /// What outcomes carry besides; nil: nothing.
    var attachment: ResultAttachment?

    /// Sends until nothing is left that is due, or the time is up. A daemon without a broker leaves the messages to one
    /// that has it.
    func sendWaiting(until end: ContinuousClock.Instant? = nil) async {
        var isInterrupted = false
        var isAtThem = false
        while !Task.isCancelled, !isInterrupted, publisher.obstacle == nil,
            end.map({ ContinuousClock.now < $0 }) ?? true
        {
            guard let waiting = await waiting() else { break }
            isAtThem = true
            guard !waiting.isEmpty else { break }
            let limit = end.map { ContinuousClock.now.duration(to: $0) } ?? .seconds(30)
            let round = await settle(waiting, await publish(waiting, within: limit))
            isInterrupted = round.isInterrupted
            guard round.progress > 0 else { break }
        }
        guard isAtThem else { return }
        try? await store.leaveOutbox()
        // Whose broker answers sends what is left: it gets the time to.
        if isInterrupted, end == nil { try? await Task.sleep(for: .seconds(.random(in: 1...3))) }
    }

    private func publish(_ messages: [OutboxMessage], within limit: Duration) async -> [PublishOutcome] {
        guard lane == .doubtful else { return await publisher.publish(await ready(messages), within: limit) }
        // What closes the channel closes it for itself alone.
        var outcomes: [PublishOutcome] = []
        for message in messages {
            guard let ready = await ready([message]).first else { break }
            let outcome = await publisher.publish(ready, within: limit)
            outcomes.append(outcome)
            if case .unknown(let error) = outcome, !error.isBadMessage { break }
        }
        return outcomes
    }

    /// Writes down what became of the messages, as far as that is known. Gives for how many it was, and whether the
    /// connection broke among them.
    private func settle(
        _ messages: [OutboxMessage], _ outcomes: [PublishOutcome]
    ) async -> (progress: Int, isInterrupted: Bool) {
        var confirmed: [Int64] = []
        var inDoubt: [Int64] = []
        var noted = 0
        var interruption: BrokerError?
        for (message, outcome) in zip(messages, outcomes) {
            switch outcome {
            case .confirmed: confirmed.append(message.id)
            case .refused: noted += await note(message, "the broker refused it") ? 1 : 0
            case .returned(_, let text): noted += await note(message, "no queue takes it: \(text)") ? 1 : 0
            case .unknown(.badMessage(let flaw)): noted += await note(message, flaw, most: 1) ? 1 : 0
            case .unknown(let error):
                interruption = error
                guard case .closed(let code, _) = error else { continue }
                inDoubt.append(message.id)
                guard lane == .doubtful else { continue }
                let most = Self.blame.contains(code) ? Self.mostTries : nil
                noted += await note(message, "\(error)", most: most) ? 1 : 0
            }
        }
        if lane == .fresh, let interruption, !inDoubt.isEmpty { noted += await doubt(inDoubt, interruption) }
        guard await hasNoted(confirmed) else { return (0, interruption != nil) }
        return (confirmed.count + noted, interruption != nil)
    }

    /// AMQP's codes that speak of a message: a precondition (its size, its user), a frame, a field. Others (an exchange
    /// that is not there, a right that is missing) are an operator's to mend, and nobody's message is given up for
    /// them.
    private static let blame: Set = [406, 501, 502]

    private func waiting() async -> [OutboxMessage]? {
        do {
            let waiting = try await store.outbox(lane, limit: 256, bytes: Self.loadedBytes)
            guard lane == .fresh, waiting.contains(where: goesAlone) else { return waiting }
            try await store.doubt(waiting.filter(goesAlone).map(\.id), nil)
            return waiting.filter { !goesAlone($0) }
        } catch {
            condition.note("messages of the outbox wait: they cannot be read", without: .store, error)
            return nil
        }
    }

    /// Whether it is, or becomes, too large to be in memory beside hundreds like it.
    private func goesAlone(_ message: OutboxMessage) -> Bool {
        message.body.count > Self.largeBody || isFilled(message) && attachment?.isAsked(message.body) == true
    }

    /// Gives how many go alone from now on.
    private func doubt(_ ids: [Int64], _ error: BrokerError) async -> Int {
        logger.warning(
            "the broker closed the channel; what was on its way goes one at a time now",
            metadata: ["messages": "\(ids.count)", "error": "\(error)"])
        return (try? await store.doubt(ids, "\(error)")) == nil ? 0 : ids.count
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

    /// Whether it is written down; then it waits, or is set aside after `most` tries. Logged aloud the first time and
    /// the last.
    private func note(_ message: OutboxMessage, _ reason: String, most: Int? = nil) async -> Bool {
        guard let fate = try? await store.unsent(message.id, reason, most: most) else { return false }
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
}

// MARK: - Messages

extension OutboxSender {
    /// What a queue must take: Atelier's own is bound to these, and without it they would be lost.
    private static let outcomes: Set = ["completed", "discarded", "cancelled", "rejected"]

    private func isFilled(_ message: OutboxMessage) -> Bool {
        message.event == "completed" && attachment?.concerns(message.body) == true
    }

    private func ready(_ messages: [OutboxMessage]) async -> [OutgoingMessage] {
        guard let attachment, messages.contains(where: isFilled) else { return messages.map { outgoing($0) } }
        let bodies = try? await runBlocking {
            messages.map { isFilled($0) ? attachment.filled($0.body) : $0.body }
        }
        return zip(messages, bodies ?? messages.map(\.body)).map { outgoing($0, body: $1) }
    }

    private func outgoing(_ message: OutboxMessage, body: Data? = nil) -> OutgoingMessage {
        OutgoingMessage(
            exchange: message.isReply ? "" : eventsExchange, routingKey: message.routingKey,
            properties: properties(
                id: message.eventID, event: message.event, subject: message.job ?? "",
                correlationID: message.correlationID),
            body: Array(body ?? message.body), isMandatory: isMandatory(message))
    }

    /// Whether it comes back where no queue takes it. What goes to direct reply-to does so though its receiver has it:
    /// that is no queue.
    private func isMandatory(_ message: OutboxMessage) -> Bool {
        message.isReply ? !TenantRules.isDirectReply(message.routingKey) : Self.outcomes.contains(message.event)
    }

    /// An event that is not written down.
    func outgoing(_ event: JobEvent) -> OutgoingMessage {
        OutgoingMessage(
            exchange: eventsExchange, routingKey: event.routingKey,
            properties: properties(
                id: event.id.uuidString.lowercased(), event: event.event, subject: event.body["job"]?.string ?? "",
                correlationID: event.body["message_id"]?.string),
            body: Array(event.body.line), isMandatory: false)
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
}

extension BrokerError {
    fileprivate var isBadMessage: Bool { if case .badMessage = self { true } else { false } }
}
