import Broker
import Daemon
import Foundation
import Jobs

/// Asks the daemons what a job would take: each has its own models and its own host's speed, and the first that knows
/// has the answer. Nothing is published, and nothing stays behind.
package struct EstimateQuestions: Sendable {
    /// Why there is no estimate.
    struct Refusal: Error, CustomStringConvertible { let description: String }

    /// An engine that just begins takes some of it.
    private static let patience: Duration = .seconds(10)

    /// Who the broker knows this program as.
    var user: String { address.user }
    private let address: BrokerAddress
    private let names: TopologyNames
    /// What queues for answers to this program begin with.
    private let queue: String

    /// Will ask at `address`.
    package init(_ address: BrokerAddress, names: TopologyNames, tenants: TenantRules) {
        (self.address, self.names) = (address, names)
        queue = tenants.ownQueue(of: address.user)
    }

    /// The answer of the first of so many living daemons that has one.
    /// - Parameter adapters: of the concepts that the job mentions.
    /// - Throws: ``Refusal``.
    func ask(
        _ job: JobSpec, adapters: [String: InspectionOrder.Adapter], workers: Int
    ) async throws -> EstimateAnswer {
        guard workers > 0 else { throw Refusal(description: "no daemon lives that could tell; does atelierd run?") }
        let own = "\(queue).\(UUID().uuidString.lowercased())"
        let (events, event) = AsyncStream<ConnectionEvent>.makeStream()
        // One connection a question, as for a job: a broker that refuses something closes it, and nobody else's.
        let consumer = Consumer(
            address, source: .answers(queue: own), maximumBodyBytes: 1 << 20, name: "atelier-web",
            report: { event.yield($0) })
        let publisher = Publisher(address)
        consumer.start()
        publisher.start()
        let limit = Task {
            try await Task.sleep(for: Self.patience)
            event.finish()
            await consumer.stop()  // ends the answers
        }
        defer { limit.cancel() }
        let result: Result<EstimateAnswer, any Error>
        do {
            try await begin(events)
            try await publish(job, adapters, answers: own, by: publisher)
            result = .success(try await first(of: consumer.deliveries, workers: workers))
        } catch { result = .failure(error) }
        await publisher.stop()
        await consumer.stop()
        return try result.get()
    }

    /// Waits until answers would be heard.
    private func begin(_ events: AsyncStream<ConnectionEvent>) async throws {
        for await event in events {
            switch event {
            case .connected: return
            case .lost(.topology(let what, 403, _), _):
                throw Refusal(
                    description: """
                        RabbitMQ gives \(address.user) no right to \(what); docs/installation.md says which rights the \
                        web program's user needs
                        """)
            case .lost(let error, _): throw Refusal(description: "the broker cannot be asked: \(error)")
            default: continue
            }
        }
        throw Refusal(description: "the broker does not answer")
    }

    private func publish(
        _ job: JobSpec, _ adapters: [String: InspectionOrder.Adapter], answers: String, by publisher: Publisher
    ) async throws {
        // What is learnt the program looks at itself: for the tenant it is, and not for the one it asks as.
        let question: JSONValue = [
            "action": "estimate", "concepts": false, "adapters": try JSONValue(adapters),
            "job": job.withoutPictures.json,
        ]
        let message = OutgoingMessage(
            exchange: names.control, routingKey: "",
            properties: MessageProperties(
                contentType: "application/json", userID: address.user, replyTo: answers, expiration: "10000",
                applicationID: "atelier-web", durability: .transient), body: Array(question.line))
        switch await publisher.publish(message, within: Self.patience) {
        case .confirmed: return
        case .returned: throw Refusal(description: "no daemon listens to the broker; does atelierd run?")
        case .refused: throw Refusal(description: "the broker takes no question now; try again later")
        case .unknown(let error): throw Refusal(description: "the question did not reach the broker: \(error)")
        }
    }

    private func first(of answers: AsyncStream<Delivery>, workers: Int) async throws -> EstimateAnswer {
        var count = 0
        for await delivery in answers {
            delivery.acknowledge()
            guard let answer = try? EstimateAnswer(line: Data(delivery.body)) else { continue }
            if answer.isFinal { return answer }
            count += 1
            if count >= workers {
                throw Refusal(
                    description: """
                        no living daemon can tell: none holds the model, or the host that does is not measured yet
                        """)
            }
        }
        throw Refusal(description: "no daemon answers; is it busy, or of an earlier version?")
    }
}
