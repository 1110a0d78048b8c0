import Broker
import Foundation
import ServerTesting
import Testing

@Suite("Publish and consume on a real broker", .timeLimit(.minutes(15)))
struct ExchangeTests {
    @Test func declaringTwiceChangesNothing() async throws {
        let stage = try await Stage()
        for _ in 0..<2 {
            let witness = Witness()
            let publisher = stage.publisher(witness)
            await witness.connections(1)
            #expect(witness.events == [.connected])
            await publisher.stop()
        }
    }

    @Test func anotherDefinitionIsNamed() async throws {
        let stage = try await Stage()
        let first = stage.publisher()
        #expect(await first.publish(stage.job("1")) == .confirmed)
        var other = stage.topology
        other.queues = other.queues.map { queue in
            var arguments = queue.arguments
            if queue.name == stage.names.jobs { arguments["x-delivery-limit"] = 5 }
            return Topology.Queue(queue.name, arguments: arguments)
        }
        let witness = Witness()
        let second = Publisher(stage.address, topology: other, report: witness.report)
        second.start()
        await witness.wait { !$0.isEmpty }
        let text = try #require(witness.events.first?.loss).description
        #expect(text.contains("the queue \(stage.names.jobs) exists with another definition"))
        #expect(text.contains("x-delivery-limit"))
        await first.stop()
        await second.stop()
    }

    @Test func aMessageArrivesAsItWasSent() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer()
        var nested: FieldValue = .string("the end")
        for _ in 0..<20 { nested = .table(["inner": nested]) }
        let headers: [String: FieldValue] = [
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "long": .string(String(repeating: "ü", count: 20_000)),
            "nested": nested, "list": [1, .double(0.5), true].asArray, "big": .integer(1 << 40),
            "bytes": .bytes([0, 255]), "time": .timestamp(1_700_000_000),
            "nothing": .void,
        ]
        var message = stage.job("m-1", headers: headers)
        message.properties.priority = 3
        message.properties.expiration = "600000"
        message.properties.replyTo = "answers"
        message.properties.correlationID = "c-1"
        message.properties.userID = "atelier"
        message.properties.applicationID = "test"
        message.properties.timestamp = 1_700_000_001
        #expect(await publisher.publish(message) == .confirmed)
        let delivery = try #require(await consumer.next().first)
        delivery.acknowledge()
        #expect(delivery.properties == message.properties)
        #expect(delivery.properties.traceparent?.hasPrefix("00-4bf9") == true)
        #expect(delivery.body == message.body)
        #expect(delivery.exchange == stage.names.exchange && delivery.routingKey == "jobs" && !delivery.isRedelivered)
        await consumer.stop()
        await publisher.stop()
    }

    @Test func headersTooDeepAreCutOff() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer()
        var nested: FieldValue = .bool(true)
        for _ in 0..<5_000 { nested = .table(["i": nested]) }
        #expect(await publisher.publish(stage.job("deep", headers: ["deep": nested, "flat": 1])) == .confirmed)
        let delivery = try #require(await consumer.next().first)
        delivery.acknowledge()
        #expect(delivery.properties.headers["flat"] == 1)
        var value = delivery.properties.headers["deep"]
        var depth = 0
        while case .table(let inner) = value {
            value = inner["i"]
            depth += 1
        }
        #expect(depth <= FieldValue.maximumDepth)
        #expect(value == .unreadable("nested deeper than 32 levels"))
        await consumer.stop()
        await publisher.stop()
    }

    @Test(arguments: [0, 1, 131_064, 131_065, 5_000_000]) func bodiesOfAnySizeAndByteArriveWhole(
        _ size: Int
    ) async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(await publisher.publish(stage.job("big", body: body)) == .confirmed)
        let delivery = try #require(await consumer.next().first)
        delivery.acknowledge()
        #expect(delivery.body == body)
        #expect(!delivery.isTooLong)
        await consumer.stop()
        await publisher.stop()
    }

    @Test func aBodyBeyondTheLimitIsDroppedAndSaid() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer(maximumBodyBytes: 1000)
        #expect(
            await publisher.publish([stage.job("long", body: .init(repeating: 7, count: 300_000)), stage.job("short")])
                .allSatisfy(\.isConfirmed))
        let found = await consumer.next(2)
        for delivery in found { delivery.acknowledge() }
        #expect(found.map(\.isTooLong) == [true, false])
        #expect(found[0].bodySize == 300_000 && found[0].body.isEmpty)
        await consumer.stop()
        await publisher.stop()
    }

    @Test func rejectedComesAgainAndAcknowledgedDoesNot() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer(prefetch: 1)
        #expect(await publisher.publish([stage.job("1"), stage.job("2")]).allSatisfy(\.isConfirmed))
        let first = try #require(await consumer.next().first)
        #expect(first.properties.messageID == "1")
        first.reject(requeue: true)
        var again: [Delivery] = []
        for _ in 0..<2 {
            let delivery = try #require(await consumer.next().first)
            delivery.acknowledge()
            again.append(delivery)
        }
        #expect(Set(again.map(\.properties.messageID)) == ["1", "2"])
        let repeated = try #require(again.first { $0.properties.messageID == "1" })
        #expect(repeated.isRedelivered && repeated.properties.headers["x-delivery-count"] == 1)
        await consumer.stop()
        // What was acknowledged is gone: only a third message comes to a new consumer.
        #expect(await publisher.publish(stage.job("3")) == .confirmed)
        let other = stage.consumer()
        #expect(await other.next().first?.properties.messageID == "3")
        await other.stop()
        await publisher.stop()
    }

    @Test func rejectedForGoodGoesToTheDeadLetters() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer()
        let dead = Consumer(stage.address, source: .queue(stage.names.dead), topology: stage.topology)
        dead.start()
        #expect(await publisher.publish(stage.job("poison")) == .confirmed)
        try #require(await consumer.next().first).reject(requeue: false)
        let letter = try #require(await dead.next().first)
        letter.acknowledge()
        #expect(letter.properties.messageID == "poison")
        #expect(letter.properties.headers["x-first-death-reason"] == "rejected")
        await consumer.stop()
        await dead.stop()
        await publisher.stop()
    }

    @Test func manyMessagesAreConfirmedInOrder() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let consumer = stage.consumer()
        async let outcomes = publisher.publish((0..<2000).map { stage.job("\($0)") })
        var ids: [String] = []
        for await delivery in consumer.deliveries {
            ids.append(delivery.properties.messageID ?? "")
            delivery.acknowledge()
            if ids.count == 2000 { break }
        }
        #expect(await outcomes.count(where: \.isConfirmed) == 2000)
        #expect(ids == (0..<2000).map(String.init))
        await consumer.stop()
        await publisher.stop()
    }

    @Test func whatNoQueueTakesComesBack() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        var nowhere = stage.job("nowhere")
        nowhere.routingKey = "no-such-key"
        var silent = nowhere
        silent.isMandatory = false
        let outcomes = await publisher.publish([stage.job("1"), nowhere, stage.job("2"), nowhere, silent])
        #expect(
            outcomes == [
                .confirmed, .returned(code: 312, text: "NO_ROUTE"), .confirmed, .returned(code: 312, text: "NO_ROUTE"),
                .confirmed,
            ])
        await publisher.stop()
    }

    @Test func anExchangeThatIsNotThereIsNamedAndThePublisherGoesOn() async throws {
        let stage = try await Stage()
        let witness = Witness()
        let publisher = stage.publisher(witness)
        var astray = stage.job("astray")
        astray.exchange = stage.names.prefix + ".nowhere"
        guard case .unknown(.closed(404, let text)) = await publisher.publish(astray) else {
            Issue.record("no 404")
            return
        }
        #expect(text.contains(astray.exchange))
        #expect(await publisher.publish(stage.job("next")) == .confirmed)
        await publisher.stop()
    }

    @Test func whatAMQPCannotCarryIsRefusedBeforehand() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let long = stage.job(String(repeating: "x", count: 256))
        #expect(await publisher.publish(long) == .unknown(.badMessage("message_id has 256 bytes; allowed are 255")))
        #expect(await publisher.publish(stage.job("fine")) == .confirmed)
        await publisher.stop()
    }

    @Test func everyPrivateQueueReceivesTheFanout() async throws {
        let stage = try await Stage()
        let witnesses = [Witness(), Witness()]
        let listeners = witnesses.map {
            Consumer(
                stage.address, source: .privateQueue(exchange: stage.names.control, routingKey: ""),
                topology: stage.topology, report: $0.report)
        }
        for listener in listeners { listener.start() }
        for witness in witnesses { await witness.connections(1) }
        let publisher = stage.publisher()
        let outcome = await publisher.publish(
            OutgoingMessage(exchange: stage.names.control, routingKey: "", body: Array("cancel".utf8)))
        #expect(outcome == .confirmed)
        for listener in listeners {
            let delivery = try #require(await listener.next().first)
            delivery.acknowledge()
            #expect(delivery.body == Array("cancel".utf8))
            await listener.stop()
        }
        await publisher.stop()
    }

    @Test func aPausedConsumerTakesNothingUntilResumed() async throws {
        let stage = try await Stage()
        let witness = Witness()
        let consumer = stage.consumer(witness)
        consumer.pause()
        await witness.connections(1)
        let publisher = stage.publisher()
        #expect(await publisher.publish(stage.job("later")) == .confirmed)
        // Another consumer gets it, so the paused one did not.
        let other = stage.consumer()
        try #require(await other.next().first).acknowledge()
        await other.stop()
        consumer.resume()
        #expect(await publisher.publish(stage.job("now")) == .confirmed)
        let delivery = try #require(await consumer.next().first)
        delivery.acknowledge()
        #expect(delivery.properties.messageID == "now")
        await consumer.stop()
        await publisher.stop()
    }

    @Test func aDeletedQueueIsNoticedAndMadeAgain() async throws {
        let stage = try await Stage()
        let witness = Witness()
        let consumer = stage.consumer(witness)
        await witness.connections(1)
        try await stage.servers.rabbitmqctl("delete_queue", stage.names.jobs)
        await witness.wait { $0.contains { $0.loss == .queueGone(stage.names.jobs) } }
        await witness.connections(2)
        let publisher = stage.publisher()
        #expect(await publisher.publish(stage.job("after")) == .confirmed)
        #expect(await consumer.next().first?.properties.messageID == "after")
        await consumer.stop()
        await publisher.stop()
    }
}

extension Array where Element == FieldValue {
    fileprivate var asArray: FieldValue { .array(self) }
}
