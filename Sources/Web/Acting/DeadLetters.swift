import Broker
import Daemon
import Foundation
import Jobs

/// What the broker gave up on: looked at, and published again.
package struct DeadLetters: Sendable {
    /// Why they cannot be looked at.
    struct Trouble: Error, CustomStringConvertible { let description: String }

    /// Of all of them as many are published again at a time.
    static let batch = 1000

    private let address: BrokerAddress
    private let names: TopologyNames
    private let largestBody: Int

    /// Those of one topology; a body longer than `largestBody` bytes is not published again.
    package init(_ address: BrokerAddress, names: TopologyNames, largestBody: Int) {
        (self.address, self.names, self.largestBody) = (address, names, largestBody)
    }

    /// The first of them, and how many there are; they stay dead, and lie behind the rest then.
    func list(limit: Int = 200) async throws -> (letters: [DeadLetter], waiting: Int) {
        let backlog = Backlog(address, queue: names.dead, limit: limit, maximumBodyBytes: 0, name: "atelier-web")
        return try await reading(backlog) {
            var letters: [DeadLetter] = []
            while let delivery = try await backlog.next() { letters.append(DeadLetter(delivery)) }
            return (letters, backlog.waiting)
        }
    }

    /// What came of publishing some again.
    struct Replayed: Sendable, Equatable {
        /// How many left the dead.
        var replayed = 0
        /// How many the broker did not take.
        var kept = 0
        /// Why the last of those stayed.
        var reason: String?
        /// How many of all were not looked at.
        var unseen = 0
        /// How many of the chosen were not found.
        var missing = 0
    }

    /// Publishes those with these handles again, wherever they lie, or as many of all as are done at a time; each
    /// leaves the dead once the broker has it.
    func replay(_ handles: [String]?) async throws -> Replayed {
        let backlog = Backlog(
            address, queue: names.dead, limit: handles == nil ? Self.batch : .max, maximumBodyBytes: largestBody,
            name: "atelier-web")
        let publishing = DeadLetterReplay(address, names: names)
        let result = await Result {
            try await reading(backlog) { try await replay(handles, from: backlog, by: publishing) }
        }
        await publishing.stop()
        return try result.get()
    }

    private func replay(
        _ handles: [String]?, from backlog: Backlog, by publishing: DeadLetterReplay
    ) async throws -> Replayed {
        var result = Replayed()
        var seen = 0
        let chosen = handles.map { Set($0) }
        func unmet() -> Int? { handles.map { $0.count - result.replayed - result.kept } }
        while unmet() != 0, let delivery = try await backlog.next() {
            let letter = DeadLetter(delivery)
            seen += 1
            guard chosen == nil || letter.handle.map({ chosen!.contains($0) }) ?? false else { continue }
            if let problem = await publish(letter, of: delivery, by: publishing) {
                result.kept += 1
                result.reason = problem
            } else {
                delivery.acknowledge()
                result.replayed += 1
            }
        }
        if let missing = unmet() { result.missing = missing } else { result.unseen = max(backlog.waiting - seen, 0) }
        return result
    }

    /// Publishes a letter again; gives why the broker does not have it.
    private func publish(
        _ letter: DeadLetter, of delivery: Delivery, by publishing: DeadLetterReplay
    ) async -> String? {
        guard !delivery.isTooLong else { return "its body is longer than messageMiB allows" }
        let outcome = await publishing.publish(letter, of: delivery)
        return outcome.isConfirmed ? nil : JobPublishing.words(for: outcome, of: letter.tenant, as: address.user)
    }

    private func reading<Value>(_ backlog: Backlog, _ body: () async throws -> Value) async throws -> Value {
        backlog.start()
        let result = await Result { try await body() }
        await backlog.stop()
        do { return try result.get() } catch BrokerError.topology(_, 404, _) {
            throw Trouble(description: "there is no queue \(names.dead); atelierd declares it when it first runs")
        } catch let error as BrokerError {
            throw Trouble(description: "\(error)")
        }
    }
}

extension Result where Failure == any Error {
    /// What comes of `body`.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
