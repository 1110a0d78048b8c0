import Foundation
import Logging
import ServiceLifecycle
import Store

/// Registers this worker, beats on a connection of its own, and tells the dispatcher what the tables want of its jobs.
/// Beats to the very end of a drain; then the worker leaves, and whatever it still owned is free at once.
struct HeartbeatService: Service {
    let settings: Settings
    /// The state folder's own id: with the host's it tells this daemon's predecessors from others.
    let folder: UUID
    let store: Store
    let worker: WorkerRegistration
    let models: ModelRegistry
    let dispatcher: Dispatcher
    let condition: ServiceHealth
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await beat()
                let isFast = worker.id == nil  // nothing works before the registration
                try? await Task.sleep(
                    for: .seconds(isFast ? min(0.5, settings.heartbeatSeconds) : settings.heartbeatSeconds))
            }
        }
        if let id = worker.id { try? await store.leave(id) }
    }

    private func beat() async {
        do {
            guard let id = worker.id else { return try await register() }
            let running = await dispatcher.jobs
            if condition.apply(try await store.pauseOrder()) { dispatcher.poll() }
            let heartbeat = try await store.beat(id, isPaused: condition.isPaused, fault: condition.fault?.rawValue)
            condition.found(.store)
            if !heartbeat.isKnown {
                logger.error("worker was given up; its jobs are another's now", metadata: ["worker.id": "\(id)"])
                worker.become(nil)
            }
            await dispatcher.reconcile(heartbeat, asked: running)
        } catch {
            condition.lost(.store, error)
        }
    }

    private func register() async throws {
        // PostgreSQL may have been away when the daemon looked at its start.
        guard try await !store.lacks(Migrations.newest) else {
            throw StoreError.unavailable(
                "the schema is older than this daemon (\(Migrations.newest) is missing): run atelierctl migrate")
        }
        let id = UUID()
        let rescued = try await store.register(
            id, name: settings.workerName, host: "\(HostIdentity.own) \(folder)",
            stateDirectory: settings.stateDirectory, slots: settings.slots)
        try await store.registerModels(models.own.map(WorkerModel.init), of: id)
        try await models.refresh(from: store)
        condition.apply(try await store.pauseOrder())
        worker.become(id)
        condition.found(.store)
        logger.notice("worker registered", metadata: ["worker.id": "\(id)", "jobs.rescued": "\(rescued)"])
        dispatcher.poll()
    }
}

/// Frees the jobs of workers that gave no sign of life, and discards what waited past its deadline.
///
/// After an outage of PostgreSQL, when nobody could beat, it waits a whole lease: a restart of the database must not
/// cost every worker its jobs.
actor Rescuer {
    private let lease: Int
    private let store: Store
    private let condition: ServiceHealth
    private let logger: Logger
    private var patience: ContinuousClock.Instant

    /// Rescues through `store` what gave no sign for `lease` seconds.
    init(lease: Int, store: Store, condition: ServiceHealth, logger: Logger) {
        self.lease = lease
        self.store = store
        self.condition = condition
        self.logger = logger
        patience = .now + .seconds(lease)
    }

    /// One sweep.
    func sweep() async {
        guard ContinuousClock.now >= patience else { return }
        do {
            // However much is past its deadline, dead workers are looked for in between.
            repeat {
                let count = try await store.rescueExpired(lease: lease)
                if count > 0 { logger.warning("jobs of dead workers rescued", metadata: ["jobs.rescued": "\(count)"]) }
            } while try await store.expire() > 0 && !Task.isCancelled
        } catch {
            condition.note("the sweep for dead workers and late jobs failed", without: .store, error)
            patience = .now + .seconds(lease)
        }
    }
}
