import Foundation
import Jobs
import ServiceLifecycle
import Store

/// Answers probes: jobs that are claimed, tried and completed like any other, but without an engine, and so without a
/// slot. They tell within milliseconds whether intake, tables and outbox work, also while an engine is busy for hours,
/// or the daemon is paused.
struct ProbeService: Service {
    /// As many are answered in one transaction: a commit costs the same for one and for a hundred.
    static let batch = 256

    let store: Store
    let worker: WorkerRegistration
    let condition: ServiceHealth
    let name: String
    let signals: AsyncStream<Void>
    /// Says that outcomes wait in the outbox: sooner than the notification does.
    let answered: @Sendable () -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                do { try await answerAll() } catch { condition.lost(.store, error) }
                if Task.isCancelled { break }
            }
        }
    }

    private func answerAll() async throws {
        let result: JSONValue = .object(["worker": .string(name)])
        var count = Self.batch
        // After fewer than a batch nothing waits: what came meanwhile has raised the signal again.
        while count == Self.batch, let id = worker.id, !Task.isCancelled {
            count = try await store.answerProbes(id, Self.batch, result: result)
            if count > 0 { answered() }
        }
    }
}
