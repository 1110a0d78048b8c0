import Broker
import ServerTesting
import Testing

@Suite("One sweep through a queue", .timeLimit(.minutes(15)))
struct BacklogTests {
    /// What a sweep sees; `taking` is acknowledged.
    private func sweep(
        _ stage: Stage, limit: Int = 100, maximumBodyBytes: Int = 1 << 20, taking: Set<String> = []
    ) async throws -> [Delivery] {
        let backlog = Backlog(stage.address, queue: stage.names.jobs, limit: limit, maximumBodyBytes: maximumBodyBytes)
        backlog.start()
        var found: [Delivery] = []
        do {
            while let delivery = try await backlog.next() {
                found.append(delivery)
                if taking.contains(delivery.properties.messageID ?? "") { delivery.acknowledge() }
            }
        } catch {
            await backlog.stop()
            throw error
        }
        await backlog.stop()
        return found
    }

    @Test func aSweepEndsByItselfAndTakesNothingAway() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        #expect(
            await publisher.publish((1...5).map { stage.job("\($0)", body: .init(repeating: 7, count: $0 * 1000)) })
                .allSatisfy(\.isConfirmed))
        for _ in 0..<3 {
            let found = try await sweep(stage).map(\.properties.messageID)
            #expect(found == ["1", "2", "3", "4", "5"])
        }
        let cut = try await sweep(stage, maximumBodyBytes: 2500).map(\.isTooLong)
        #expect(cut == [false, false, true, true, true])
        #expect(try await sweep(stage, taking: ["2", "4"]).count == 5)
        let left = try await sweep(stage).compactMap(\.properties.messageID)
        #expect(left.sorted() == ["1", "3", "5"])
        #expect(try await sweep(stage, limit: 2).count == 2)
        let all = try await sweep(stage, limit: 100_000, maximumBodyBytes: 0).compactMap(\.properties.messageID)
        #expect(all.sorted() == ["1", "3", "5"], "a limit beyond what a consumer fetches ahead")
        await publisher.stop()
    }

    @Test func noMoreIsFetchedThanIsReadAndFitsIntoMemory() async throws {
        let stage = try await Stage()
        let publisher = stage.publisher()
        #expect(
            await publisher.publish((1...6).map { stage.job("\($0)", body: .init(repeating: 7, count: 1000)) })
                .allSatisfy(\.isConfirmed))
        await publisher.stop()
        let backlog = Backlog(
            stage.address, queue: stage.names.jobs, limit: 100, maximumBodyBytes: 1000, heldBytes: 2000)
        backlog.start()
        var found = [try await backlog.next()?.properties.messageID]
        #expect(try await sweep(stage).map(\.properties.messageID) == ["3", "4", "5", "6"], "two are held")
        while let delivery = try await backlog.next() { found.append(delivery.properties.messageID) }
        let ids = found.compactMap(\.self).sorted()
        #expect(ids == ["1", "2", "3", "4", "5", "6"], "more come though none is answered")
        await backlog.stop()
        #expect(try await sweep(stage).count == 6)
    }

    @Test func anEmptyQueueEndsAtOnceAndAMissingOneIsNamed() async throws {
        let stage = try await Stage()
        let error = await #expect(throws: BrokerError.self) { try await sweep(stage) }
        #expect(error?.description.contains(stage.names.jobs) == true && error?.description.contains("404") == true)
        let publisher = stage.publisher()
        #expect(await publisher.publish(stage.job("1")) == .confirmed)
        #expect(try await sweep(stage, taking: ["1"]).count == 1)
        #expect(try await sweep(stage).isEmpty)
        await publisher.stop()
    }
}
