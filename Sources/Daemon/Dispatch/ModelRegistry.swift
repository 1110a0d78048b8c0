import Catalogue
import Foundation
import Jobs
import Logging
import Store
import Synchronization

/// The models of this host, read again when their files change, and those that other workers of the cluster hold.
package final class ModelRegistry: Sendable {
    private struct State {
        var stamp: [String] = []
        var own: [ModelDescription] = []
        /// What is wrong with the others of this host, by name.
        var unusable: [String: String] = [:]
        var cluster: [ModelDescription] = []
        /// Whether the tables do not know it yet.
        var isUntold = false
    }

    private let directory: String
    private let logger: Logger
    private let state = Mutex(State())

    /// Knows none before ``reread()``.
    package init(directory: String, logger: Logger) { (self.directory, self.logger) = (directory, logger) }

    /// Those of this host that are whole.
    package var own: [ModelDescription] { state.withLock(\.own) }

    /// Those a job may name: this host's, and what others hold or held under other names.
    package var choice: ModelChoice {
        state.withLock { ModelChoice($0.own + $0.cluster, unusable: $0.unusable) }
    }

    /// Looks whether the folder is as it was, and reads what changed. Gives whether this host's models are others now.
    @discardableResult
    func reread() async -> Bool {
        let directory = directory
        guard let stamp = try? await runBlocking({ ModelCatalogue.stamp(of: directory) }),
            state.withLock({ $0.stamp != stamp })
        else { return false }
        // A folder that is not there holds no models.
        let catalogue = try? await runBlocking { try ModelCatalogue(directory: directory) }
        let unusable = catalogue?.unusable ?? [:]
        for (name, problems) in unusable.sorted(by: { $0.key < $1.key }) {
            logger.warning("model cannot be used", metadata: ["model": "\(name)", "problems": "\(problems)"])
        }
        let found = catalogue?.usable ?? []
        return state.withLock { state in
            (state.stamp, state.unusable) = (stamp, unusable)
            defer { state.own = found }
            return state.own != found || state.isUntold
        }
    }

    /// Says again which models this host holds where that has changed, and asks what others do. Apart from the
    /// heartbeat, which a folder that hangs must not stop.
    func maintain(_ worker: WorkerRegistration, _ store: Store, _ condition: ServiceHealth) async {
        let isChanged = await reread()
        guard let id = worker.id else { return }  // its registration says it
        do {
            if isChanged {
                try await store.registerModels(own.map(WorkerModel.init), of: id)
                state.withLock { $0.isUntold = false }
            }
            try await refresh(from: store)
        } catch {
            condition.note("models could not be registered", without: .store, error)
            if isChanged { state.withLock { ($0.stamp, $0.isUntold) = ([], true) } }
        }
    }

    /// Asks the tables what others hold.
    /// - Throws: `StoreError`.
    func refresh(from store: Store) async throws {
        let known = try await store.knownModels()
        state.withLock { $0.cluster = known }
    }
}
