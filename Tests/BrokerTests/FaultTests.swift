import Broker
import Foundation
import ServerTesting
import Testing

/// Each on a broker of its own, for the others' must not be harmed.
@Suite("The broker stops, dies, falls silent, takes nothing", .serialized, .timeLimit(.minutes(15)))
struct FaultTests {
    @Test(arguments: [false, true]) func aBrokerThatComesBackLosesNothing(isKilled: Bool) async throws {
        let servers = try await Servers.startOwn(.rabbitmq)
        let stage = try await Stage(servers)
        let reader = Witness()
        let writer = Witness()
        let consumer = stage.consumer(reader)
        let publisher = stage.publisher(writer)
        #expect(await publisher.publish([stage.job("1"), stage.job("2")]).allSatisfy(\.isConfirmed))
        let held = await consumer.next(2)
        held[0].acknowledge()
        // An answer is on its way until the broker has it: what follows on the same connection is behind it.
        try await Task.sleep(for: .milliseconds(300))

        if isKilled { try await servers.kill(.rabbitmq) } else { try await servers.stop(.rabbitmq) }
        await reader.wait { $0.contains { $0.loss != nil } }
        await writer.wait { $0.contains { $0.loss != nil } }
        async let meanwhile = publisher.publish(stage.job("3"), within: .seconds(600))
        try await servers.start(.rabbitmq)

        await reader.connections(2)
        #expect(await meanwhile == .confirmed, "a message given while the broker was away waits for it")
        let again = await consumer.next(2)
        #expect(again.map(\.properties.messageID) == ["2", "3"])
        #expect(again[0].isRedelivered)
        // Answers to deliveries of the lost connection do no harm to the new one.
        held[1].acknowledge()
        for delivery in again { delivery.acknowledge() }
        #expect(await publisher.publish(stage.job("4")) == .confirmed)
        #expect(await consumer.next().first?.properties.messageID == "4")
        #expect(reader.events.count(where: { $0 == .connected }) == 2)
        await consumer.stop()
        await publisher.stop()
        try await servers.remove()
    }

    @Test func withoutABrokerPublishingEndsInTime() async throws {
        let publisher = Publisher(try BrokerAddress(url: "amqp://u:p@127.0.0.1:1/"))
        publisher.start()
        let message = OutgoingMessage(exchange: "", routingKey: "q", body: [])
        async let patient = publisher.publish(message, within: .seconds(3600))
        let outcome = await publisher.publish(message, within: .seconds(1))
        let isUnreachable = if case .unknown(.unreachable) = outcome { true } else { false }
        #expect(isUnreachable && !outcome.isInDoubt, "\(outcome)")
        await publisher.stop()
        #expect(await patient == .unknown(.stopped), "each waits for its own time")
        #expect(await publisher.publish(message) == .unknown(.stopped))
    }

    @Test func aBlockedBrokerHangsNobody() async throws {
        let servers = try await Servers.startOwn(.rabbitmq)
        let stage = try await Stage(servers)
        let witness = Witness()
        let publisher = stage.publisher(witness)
        #expect(await publisher.publish(stage.job("before")) == .confirmed)
        let unblocking = NSTemporaryDirectory() + "atelier-unblock-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: unblocking) }
        try await servers.rabbitmqctl("eval", Self.unblocks(at: unblocking))
        try await servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1")
        let outcomes = await publisher.publish(
            (0..<100).map { stage.job("\($0)", body: .init(repeating: 1, count: 65_536)) }, within: .seconds(2))
        #expect(outcomes.allSatisfy { if case .unknown(.timedOut) = $0 { true } else { false } })
        #expect(outcomes.allSatisfy { $0.isInDoubt })
        await witness.wait { $0.contains { if case .blocked = $0 { true } else { false } } }
        // A consumer is not blocked.
        let consumer = stage.consumer()
        try #require(await consumer.next().first).acknowledge()

        async let later = publisher.publish(stage.job("after"), within: .seconds(600))
        try Data().write(to: URL(filePath: unblocking))
        #expect(await later == .confirmed)
        #expect(witness.events.contains(.unblocked))
        #expect(witness.events.compactMap(\.loss).isEmpty, "the connection stayed")
        await consumer.stop()
        await publisher.stop()
        try await servers.remove()
    }

    /// Lets the broker lift its alarm by itself once there is a file: a command of its own takes longer to begin on a
    /// busy machine than bytes may wait in a connection.
    private static func unblocks(at path: String) -> String {
        """
        spawn(fun() -> Wait = fun(Again) -> case filelib:is_file("\(path)") of \
        true -> vm_memory_monitor:set_vm_memory_high_watermark(0.8); \
        false -> timer:sleep(20), Again(Again) end end, Wait(Wait) end), ok.
        """
    }

    /// By each connection, long before the limit of what is published over it.
    @Test func silenceIsNoticed() async throws {
        let servers = try await Servers.startOwn(.rabbitmq)
        let stage = try await Stage(servers)
        let reader = Witness()
        let writer = Witness()
        let loader = Witness()
        let consumer = stage.consumer(reader)
        let publisher = stage.publisher(writer)
        let loading = stage.publisher(loader)
        for witness in [reader, writer, loader] { await witness.connections(1) }
        let process = try servers.brokerProcess()
        kill(process, SIGSTOP)
        defer { kill(process, SIGCONT) }
        // More than the socket's buffers hold: the library's call itself blocks.
        async let heavy = loading.publish(
            stage.job("heavy", body: .init(repeating: 9, count: 64 << 20)), within: .seconds(600))
        for witness in [reader, writer, loader] { await witness.wait { $0.contains { $0.loss != nil } } }
        guard case .unknown(.lost) = await heavy else {
            Issue.record("the heavy message has an outcome though nobody heard it")
            return
        }
        kill(process, SIGCONT)
        for witness in [reader, writer, loader] { await witness.connections(2) }
        #expect(await publisher.publish(stage.job("after")) == .confirmed)
        let delivery = try #require(await consumer.next().first)
        #expect(delivery.properties.messageID == "after")
        delivery.acknowledge()
        await consumer.stop()
        await publisher.stop()
        await loading.stop()
        try await servers.remove()
    }
}
