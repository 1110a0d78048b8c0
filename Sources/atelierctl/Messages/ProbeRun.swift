import Broker
import Daemon
import Foundation
import Jobs
import Synchronization

/// Probes on their way out, and their outcomes on the way back over a queue of this program alone.
final class ProbeRun: Sendable {
    private let address: BrokerAddress
    private let names: TopologyNames
    private let seconds: Int
    private let publisher: Publisher
    private let consumer: Consumer
    private let connections: AsyncStream<ConnectionEvent>
    private let trouble = Mutex<Doctor.Trouble?>(nil)

    /// Probes to the broker of `settings`, all to be answered within so many seconds.
    init(_ settings: Settings, seconds: Int) throws {
        address = try settings.broker()
        names = TopologyNames(prefix: settings.topologyPrefix)
        self.seconds = seconds
        publisher = Publisher(address)
        let (events, event) = AsyncStream<ConnectionEvent>.makeStream()
        connections = events
        let key = [address.user, JobKind.probe.rawValue, JobState.completed.rawValue].map(JobEvent.routingWord).joined(
            separator: ".")
        consumer = Consumer(
            address, source: .privateQueue(exchange: names.events, routingKey: key), prefetch: 512,
            report: { event.yield($0) })
    }

    /// One probe after the other's outcome.
    func oneByOne(_ count: Int) async throws -> ProbeTimes { try await measured(count, inFlight: 1) }

    /// All at once.
    func together(_ count: Int) async throws -> ProbeTimes { try await measured(count, inFlight: count) }

    private func measured(_ count: Int, inFlight: Int) async throws -> ProbeTimes {
        try await connect()
        let limit = Task { [seconds, consumer] in
            try await Task.sleep(for: .seconds(seconds))
            await consumer.stop()  // ends the deliveries
        }
        defer { limit.cancel() }
        var sent: [String: ContinuousClock.Instant] = [:]
        var latencies: [Double] = []
        var next = 0
        func send(_ number: Int) {
            let ids = (0..<number).map { _ in UUID().uuidString.lowercased() }
            let now = ContinuousClock.now
            for id in ids { sent[id] = now }
            next += number
            let messages = ids.map(message)
            Task { [self] in await publish(messages) }
        }
        let begin = ContinuousClock.now
        var end = begin
        send(min(inFlight, count))
        for await delivery in consumer.deliveries {
            delivery.acknowledge()
            // Repeated ones, and those of others, are not among them.
            guard let start = delivery.properties.correlationID.flatMap({ sent.removeValue(forKey: $0) }) else {
                continue
            }
            end = .now
            latencies.append((end - start) / .milliseconds(1))
            if latencies.count == count { break }
            if next < count { send(1) }
        }
        if latencies.isEmpty { end = .now }
        await publisher.stop()
        await consumer.stop()
        if let trouble = trouble.withLock({ $0 }) { throw trouble }
        return ProbeTimes(sent: count, seconds: (end - begin) / .seconds(1), latencies: latencies.sorted())
    }

    /// Waits until outcomes would be heard.
    private func connect() async throws {
        consumer.start()
        publisher.start()
        for await event in connections {
            switch event {
            case .connected: return
            case .lost(.topology(_, 404, _), _):
                await give(up: "\(address): there is no exchange \(names.events): \(PublishOutcome.advice)")
            case .lost(.topology(_, 403, let text), _):
                await give(
                    up: """
                        \(address): \(address.user) may make no queue to hear outcomes at: \(text); that takes \
                        configure, write and read on amq.gen.*, as the daemon's user has them \
                        (ATELIER_AMQP_URL_FILE=/etc/atelier/amqp-url)
                        """)
            case .lost(let error, _): await give(up: error.description)
            default: continue
            }
            break
        }
        throw trouble.withLock { $0 } ?? Doctor.Trouble("\(address) does not answer")
    }

    private func publish(_ messages: [OutgoingMessage]) async {
        let outcomes = await publisher.publish(messages, within: .seconds(seconds))
        guard let outcome = outcomes.first(where: { !$0.isConfirmed }), outcome != .unknown(.stopped),
            let trouble = outcome.trouble
        else { return }
        await give(up: "\(address) did not take a probe: \(trouble)")
    }

    private func give(up reason: String) async {
        trouble.withLock { $0 = $0 ?? Doctor.Trouble(reason) }
        await consumer.stop()
    }

    private func message(_ id: String) -> OutgoingMessage {
        let body: JSONValue = .object(["version": .integer(1), "kind": .string(JobKind.probe.rawValue)])
        return OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(
                contentType: "application/json", messageID: id, type: JobKind.probe.rawValue, userID: address.user,
                applicationID: "atelierctl"),
            body: Array(body.line))
    }
}
