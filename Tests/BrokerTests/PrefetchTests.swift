import Broker
import Foundation
import ServerTesting
import Testing

@testable import Broker

/// What a consumer holds is bounded, in messages and in bytes.
@Suite(.timeLimit(.minutes(15))) struct PrefetchTests {
    @Test func theWindowOpensWithSmallMessagesAndClosesWithLargeOnes() {
        var window = PrefetchWindow(most: 64, largestBody: 64, budget: 256)
        #expect(window.current == 4 && window.allowance == .max, "four of the largest fit")
        for _ in 0..<64 {
            window.take(1)
            window.release(1)
        }
        #expect(window.current == 64)
        window.take(64)
        #expect(window.current == 4 && window.held == 64 && window.allowance == 192)
        for _ in 0..<3 { window.take(64) }
        #expect(window.allowance == 0)
        window.release(64)
        #expect(window.allowance == 64)
        let wide = PrefetchWindow(most: 64, largestBody: 1 << 20, budget: 1 << 10)
        #expect(wide.fewest == 1, "one message at least, however large")
    }

    @Test func whatIsHeldStaysWithinItsBytes() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        let small = 70
        let large = 40
        let body = [UInt8](repeating: 0x20, count: 100_000)
        for number in 0..<small { #expect(await publisher.publish(stage.job("s\(number)")) == .confirmed) }
        for number in 0..<large { #expect(await publisher.publish(stage.job("l\(number)", body: body)) == .confirmed) }
        let consumer = stage.consumer(prefetch: 64, maximumBodyBytes: 100_000, heldBytes: 300_000)
        var held: [Delivery] = []
        var seen: [String: Int] = [:]
        var mostBytes = 0
        for await delivery in consumer.deliveries {
            seen[delivery.properties.messageID ?? "", default: 0] += 1
            held.append(delivery)
            mostBytes = max(mostBytes, held.map(\.body.count).reduce(0, +))
            #expect(!delivery.isTooLong)
            // Three large ones are all that comes before one is answered; small ones go at once.
            if delivery.body.count < 1000 || held.count == 3 {
                for one in held { one.acknowledge() }
                held = []
            }
            if seen.count == small + large { break }
        }
        for one in held { one.acknowledge() }
        await consumer.stop()
        await publisher.stop()
        #expect(mostBytes <= 300_000)
        #expect(seen.filter { $0.value > 1 }.isEmpty, "what was put off never reached anybody")
    }

    @Test func aPausedConsumerTakesNothing() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        #expect(await publisher.publish(stage.job("m")) == .confirmed)
        for _ in 0..<30 {
            let witness = Witness()
            let paused = stage.consumer(witness, isPaused: true)
            await witness.connections(1)
            await paused.stop()
        }
        let consumer = stage.consumer(isPaused: true)
        consumer.resume()
        let delivery = await consumer.next()[0]
        #expect(!delivery.isRedelivered, "it was delivered to nobody before")
        delivery.acknowledge()
        await consumer.stop()
        await publisher.stop()
    }
}
