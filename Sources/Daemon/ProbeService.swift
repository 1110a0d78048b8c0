import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Answers probes: jobs that are claimed, tried and completed like any other, but here instead of in an engine, and without a slot. So
/// they tell within milliseconds whether intake, tables and outbox work, also while an engine is
/// busy for hours, or the daemon is paused.
package struct ProbeService: Service {
    /// As many are claimed, and completed, in one transaction: a commit costs the same for one and for a hundred.
    static let batch = 128

    let store: Store
    let worker: Worker
    let condition: DaemonCondition
    let name: String
    let wakes: AsyncStream<Void>

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in wakes {
                do { try await answerAll() } catch { condition.lost(.store, error) }
                if Task.isCancelled { break }
            }
        }
    }

    private func answerAll() async throws {
        let result: JSONValue = .object(["worker": .string(name)])
        while let id = worker.id, !Task.isCancelled {
            let probes = try await store.claimProbes(id, Self.batch)
            guard !probes.isEmpty else { return }
            _ = try await store.finish(probes, result: result)
        }
    }
}
