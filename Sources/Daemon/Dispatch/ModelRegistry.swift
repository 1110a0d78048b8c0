import Catalogue
import Foundation
import Jobs
import Logging
import Store
import Synchronization

/// The models of this host, read again when their files change, and those that other workers of the cluster hold.
package final class ModelRegistry: Sendable {
    private struct State {
        /// Nil where the folder is to be read again, whatever it holds.
        var stamp: [String]?
        var own: [ModelDescription] = []
        /// What is wrong with the others of this host, by name.
        var unusable: [String: String] = [:]
        var cluster: [ModelDescription] = []
        /// Whether the tables do not know it yet.
        var isUntold = false
        /// Whether the folder could not be looked into the last time.
        var isUnreadable = false
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
        do {
            let stamp = try await runBlocking { [directory] in try ModelCatalogue.stamp(of: directory) }
            state.withLock { $0.isUnreadable = false }
            guard state.withLock({ $0.stamp != stamp }) else { return false }
            // A folder that is not there holds no models.
            let catalogue = try await runBlocking { [directory] in
                try stamp.isEmpty ? nil : ModelCatalogue(directory: directory)
            }
            return adopt(catalogue, stamp)
        } catch {
            noteUnreadable(error)
            return false
        }
    }

    /// A folder that cannot be looked into holds what it held: jobs that came now would be rejected for good.
    private func noteUnreadable(_ error: any Error) {
        let isNew = state.withLock { state in
            defer { state.isUnreadable = true }
            return !state.isUnreadable
        }
        guard isNew else { return }
        logger.warning(
            "the models' folder cannot be looked into: it is taken to hold what it held",
            metadata: ["directory": "\(directory)", "error": "\(error)"])
    }

    private func adopt(_ catalogue: ModelCatalogue?, _ stamp: [String]) -> Bool {
        let unusable = catalogue?.unusable ?? [:]
        for (name, problems) in unusable.sorted(by: { $0.key < $1.key }) {
            logger.warning("model cannot be used", metadata: ["model": "\(name)", "problems": "\(problems)"])
        }
        let found = catalogue?.usable ?? []
        if found.isEmpty, !own.isEmpty {
            logger.warning("this host has no models any more", metadata: ["directory": "\(directory)"])
        }
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
            if isChanged { state.withLock { ($0.stamp, $0.isUntold) = (nil, true) } }
        }
    }

    /// Asks the tables what others hold.
    /// - Throws: `StoreError`.
    func refresh(from store: Store) async throws {
        let known = try await store.knownModels()
        state.withLock { $0.cluster = known }
    }
}
