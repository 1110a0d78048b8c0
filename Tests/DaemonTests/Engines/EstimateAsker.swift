import Broker
import Foundation
import Jobs

/// Asks daemons what a job would take, as a user of the broker's.
struct EstimateAsker {
    let address: BrokerAddress
    let control: String

    /// What comes to a queue of its own, or why nothing did within so many seconds.
    /// - Parameters:
    ///   - job: what is asked about; nil leaves it out.
    ///   - further: members of the question beside it.
    ///   - queue: where the asker says that it listens; its own unless given.
    func ask(
        _ job: JSONValue?, _ further: [String: JSONValue] = [:], listeningAt own: String, sayingSo queue: String? = nil,
        within seconds: Int = 60
    ) async throws -> [JSONValue] {
        var question = further.merging(["action": "estimate"]) { $1 }
        question["job"] = job
        let (events, event) = AsyncStream<ConnectionEvent>.makeStream()
        let consumer = Consumer(address, source: .answers(queue: own), report: { event.yield($0) })
        let publisher = Publisher(address)
        consumer.start()
        publisher.start()
        let limit = Task {
            try await Task.sleep(for: .seconds(seconds))
            event.finish()
            await consumer.stop()
        }
        defer { limit.cancel() }
        var answers: [JSONValue] = []
        if await events.first(where: { _ in true }) == .connected {
            let message = OutgoingMessage(
                exchange: control, routingKey: "",
                properties: MessageProperties(
                    userID: address.user, replyTo: queue ?? own, correlationID: "question",
                    durability: .transient),
                body: Array(JSONValue.object(question).line))
            if await publisher.publish(message).isConfirmed {
                for await delivery in consumer.deliveries {
                    delivery.acknowledge()
                    answers = [try JSONValue(json: Data(delivery.body))]
                    if delivery.properties.correlationID != "question" { answers = [] }
                    break
                }
            }
        }
        await publisher.stop()
        await consumer.stop()
        return answers
    }
}
