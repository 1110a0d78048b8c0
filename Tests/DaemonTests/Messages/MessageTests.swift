import Broker
import DaemonTesting
import Foundation
import Jobs
import SchemaTesting
import ServerTesting
import Store
import Synchronization
import Testing

/// Every message Atelier sends, as it comes from the broker, held against the documents in `ops/schemas`.
@Suite(.timeLimit(.minutes(15))) struct MessageTests {
    static let folder = Servers.root + "/ops/schemas/"

    /// Everything said on the exchange of events, as it came.
    private final class Listener: Sendable {
        private let received = Mutex<[Delivery]>([])
        private let consumer: Consumer

        init(_ stage: Stage) throws {
            consumer = Consumer(
                try BrokerAddress(url: stage.servers.amqpURL),
                source: .privateQueue(exchange: stage.names.events, routingKey: "#"), topology: .atelier(stage.names))
            consumer.start()
            Task { [self] in
                for await delivery in consumer.deliveries {
                    received.withLock { $0.append(delivery) }
                    delivery.acknowledge()
                }
            }
        }

        var deliveries: [Delivery] { received.withLock { $0 } }
        var events: Set<String> {
            Set(deliveries.compactMap { $0.routingKey.split(separator: ".").last.map(String.init) })
        }
        func stop() async { await consumer.stop() }
    }

    /// The events the document knows.
    private func known() throws -> Set<String> {
        let document = try JSONSchema(path: Self.folder + "event.json")
        return Set(
            try (document.part("#/oneOf").array ?? []).compactMap {
                $0["$ref"]?.string?.split(separator: "/").last.map(String.init)
            })
    }

    /// Has everything said that can be said.
    private func play(_ stage: Stage) async throws {
        try stage.start()
        for _ in 0..<2 { try await stage.publish("steps=3 delay=20", id: "done") }
        _ = try await stage.job("done", reaches: .completed)
        try await stage.publish("steps=3 delay=20", id: "done")
        try await stage.publish(body: Data(#"{"kind":"paint"}"#.utf8), id: nil)
        try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "probe", kind: "probe")
        _ = try await stage.job("probe", reaches: .completed)
        try await stage.publish(
            body: Script.personalization("seen", seed: 1, script: "steps=1 preview adapter"), id: "seen",
            kind: "personalize")
        _ = try await stage.job("seen", reaches: .completed)
        try await stage.publish("steps=2 fail-once=transient", id: "again")
        _ = try await stage.job("again", reaches: .completed)
        try await stage.publish("steps=2 fail=fatal", id: "bad")
        let bad = try #require(try await stage.job("bad", reaches: .discarded).jobID)
        #expect(try await stage.store.retry(bad, fromScratch: true))
        _ = try await stage.job("bad") { $0["attempt"] == .integer(2) && $0["state"]?.string == "discarded" }
        try await stage.publish("steps=2 fail=fatal", id: "bad")
        try await stage.publish(
            body: Script.body("steps=1"),
            properties: MessageProperties(
                messageID: "late", headers: ["deadline": .string(Date(timeIntervalSince1970: 0).formatted(.iso8601))]))
        try await stage.publish("steps=5000 delay=20", id: "long")
        _ = try await stage.job("long") { ($0["step"]?.integer ?? 0) > 0 }
        #expect(await stage.stop(SIGTERM) == 0)
        let interrupted = try #require(try await stage.job("long", reaches: .available).jobID)
        try StubModel.write("pocket-infinity", .infinity, in: stage.folder.path, number: 1)
        try stage.start()
        try await stage.until("it is rebound") { try await stage.store.rebind(interrupted) == .available }
        _ = try await stage.job("long") { $0["attempt"] == .integer(2) && $0["state"]?.string == "running" }
        await stage.stop(SIGKILL)
        try stage.start()
        let long = try await stage.job("long") { $0["attempt"] == .integer(3) && $0["state"]?.string == "running" }
        _ = try await stage.store.cancel(try #require(long.jobID), reason: "enough")
        _ = try await stage.job("long", reaches: .cancelled)
    }

    @Test func everyEventFitsItsSchema() async throws {
        try await Stage.with(settings: [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_LEASE_SECONDS": "3",
        ]) { stage in
            let listener = try Listener(stage)
            try await play(stage)
            let known = try known()
            try await stage.until("all of \(known.sorted()) is said") { listener.events == known }
            await listener.stop()
            let schema = try JSONSchema(path: Self.folder + "event.json")
            let headers = try JSONSchema(path: Self.folder + "headers.json")
            for delivery in listener.deliveries {
                let body = try JSONValue(json: Data(delivery.body))
                let event = body["event"]?.string ?? ""
                // The part for this event says more about what is wrong than that none of them fits.
                let wrong = try schema.problems(in: body, part: "#/$defs/" + event)
                #expect(wrong.isEmpty, "\(event): \(body.text)")
                #expect(try schema.problems(in: body).isEmpty, "\(body.text)")
                let properties = delivery.properties
                let table = JSONValue.object(properties.headers.compactMapValues { $0.string.map(JSONValue.string) })
                let amiss = try headers.problems(in: table)
                #expect(amiss.isEmpty, "\(table.text)")
                #expect(
                    properties.contentType == "application/json" && properties.durability == .persistent
                        && properties.type == "atelier.job.\(event).v1")
                #expect(
                    table["cloudEvents:id"]?.string == properties.messageID
                        && table["cloudEvents:type"]?.string == properties.type)
                #expect(delivery.routingKey.split(separator: ".").last.map(String.init) == event)
            }
        }
    }

    @Test func theAsyncAPIDocumentNamesWhatIsDeclared() throws {
        let document = try JSONValue(json: try Data(contentsOf: URL(fileURLWithPath: Self.folder + "asyncapi.json")))
        #expect(document["asyncapi"] == .string("3.0.0"))
        let topology = Topology.atelier()
        guard case .object(let channels) = document["channels"] else {
            Issue.record("no channels")
            return
        }
        let bindings = channels.values.compactMap { $0["bindings"]?["amqp"] }
        let exchanges = Set(
            bindings.compactMap { $0["exchange"] }.map { "\($0["name"]?.string ?? "") \($0["type"]?.string ?? "")" })
        #expect(
            exchanges
                == Set(topology.exchanges.map { "\($0.name) \($0.kind.rawValue)" }).subtracting(["atelier.dead fanout"])
        )
        let queues = Set(bindings.compactMap { $0["queue"]?["name"]?.string })
        #expect(queues == Set(topology.queues.map(\.name)).subtracting(["atelier.jobs"]))
        // Whatever is referred to is there, in this document or beside it.
        for match in document.text.matches(of: /"\$ref":"([^"]+)"/) {
            let reference = String(match.1)
            if reference.hasPrefix("#") {
                _ = try JSONSchema(path: Self.folder + "asyncapi.json").part(reference)
            } else {
                #expect(FileManager.default.fileExists(atPath: Self.folder + reference), "\(reference)")
            }
        }
    }
}
