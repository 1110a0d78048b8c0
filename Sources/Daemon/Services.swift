import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// The daemon, put together: what there is, who knows whom, in which order it starts, and in the reverse of which it
/// stops.
package enum Services {
    /// Runs until SIGTERM or SIGINT; at SIGHUP, `read` gives the settings anew. Gives the exit status: 0 stopped as
    /// asked, 69 something needed is not there, 78 wrong configuration.
    package static func run(
        _ settings: Settings, environment: [String: String], read: @escaping @Sendable () throws -> Settings
    ) async -> Int32 {
        let threshold = LogThreshold(Logger.Level(rawValue: settings.logLevel) ?? .info)
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, threshold: threshold) }
        let logger = Logger(label: "atelierd")
        do {
            return try await run(settings, SystemNotifier(environment: environment), logger, threshold, read)
        } catch {
            logger.critical("stopped by an error", metadata: ["error": "\(error)"])
            return 69
        }
    }

    private static func run(
        _ settings: Settings, _ notifier: SystemNotifier, _ logger: Logger, _ threshold: LogThreshold,
        _ read: @escaping @Sendable () throws -> Settings
    ) async throws -> Int32 {
        // An engine or a server that goes away is an error of the write, no end of the daemon.
        signal(SIGPIPE, SIG_IGN)
        for folder in [settings.stateDirectory, settings.workspacesDirectory, settings.logsDirectory] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        let lock = try StateLock(directory: settings.stateDirectory)
        defer { withExtendedLifetime(lock) {} }
        guard access(settings.engine, X_OK) == 0 else {
            logger.critical("engine cannot be executed", metadata: ["engine": "\(settings.engine)"])
            return 78
        }
        let url = settings.postgresURL.reveal()
        func store(_ name: String) -> Store { Store(url: url, application: "atelierd/\(name)") }
        guard await hasSchema(store("start"), logger) else { return 69 }

        let address = try settings.broker()
        let names = TopologyNames(prefix: settings.topologyPrefix)
        let topology = Topology.atelier(names)
        let condition = ServiceHealth(notifier: notifier, logger: logger)
        let artifacts = try ArtifactDirectory(root: settings.artifactsDirectory)
        let keeping = store("maintenance")
        let shared = SharedFolder(directory: settings.sharedDirectory, store: keeping, logger: logger)
        let live = LiveEvents()
        let worker = WorkerRegistration()
        let models = ModelRegistry(directory: settings.modelsDirectory, logger: logger)
        await models.reread()
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let received: @Sendable (ConnectionEvent) -> Void = { event in
            switch event {
            case .connected:
                condition.found(.broker)
                signal.yield()  // what waited for the broker
            case .lost(let error, _): condition.lost(.broker, error)
            default: logger.notice("broker connection changed", metadata: ["event": "\(event)"])
            }
        }
        let dispatcher = Dispatcher(
            settings: settings, store: store("jobs"), worker: worker, live: live, artifacts: artifacts, shared: shared,
            condition: condition, notifier: notifier, logger: logger)
        let (probes, probe) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let failed: @Sendable (any Error) -> Void = { error in
            logger.warning(
                "nothing is received from PostgreSQL; looked for every \(settings.pollSeconds) s instead",
                metadata: ["error": "\(error)"])
        }
        let notifications = Notifications(
            url: url, channels: ["atelier_jobs", "atelier_outbox", "atelier_control"], lost: failed
        ) { channel, payload in
            if channel != "atelier_outbox" {
                dispatcher.poll()
                probe.yield()
            }
            if channel != "atelier_jobs" { signal.yield() }
            if let job = UUID(uuidString: payload) { Task { await dispatcher.cancel(job) } }
        }
        defer { notifications.stop() }
        let maintenance = Maintenance(
            retention: settings.retention, store: keeping, artifacts: artifacts,
            sweeper: WorkspaceSweeper(settings: settings), shared: shared, logger: logger)
        let sweeping = store("rescue")
        let rescuer = Rescuer(lease: settings.leaseSeconds, store: sweeping, logger: logger)

        // From the last to the first they stop: intake, then the jobs, then what they said, then the heart.
        let services: [any Service] = [
            Watchdog(notifier: notifier),
            Reload(settings: settings, read: read, notifier: notifier, condition: condition, logger: logger) {
                settings in
                threshold.level = Logger.Level(rawValue: settings.logLevel) ?? .info
                await maintenance.keep(settings.retention)
                await dispatcher.adopt(settings)
            },
            HeartbeatService(
                settings: settings, folder: lock.folder, store: store("heartbeat"), worker: worker,
                models: models, dispatcher: dispatcher, condition: condition, logger: logger),
            TimedService(every: .seconds(max(1, settings.leaseSeconds / 3))) { await rescuer.sweep() },
            TimedService(every: .seconds(60)) { await maintenance.maintain() },
            TimedService(every: .seconds(settings.heartbeatSeconds)) { await models.maintain(worker, sweeping) },
            OutboxPublisher(
                fresh: OutboxSender(
                    lane: .fresh, publisher: Publisher(address, topology: topology, report: received),
                    store: store("outbox"), eventsExchange: names.events, logger: logger),
                doubtful: OutboxSender(
                    lane: .doubtful,
                    publisher: Publisher(address, topology: topology, name: "atelier-publisher-doubtful"),
                    store: store("outbox-doubtful"), eventsExchange: names.events, logger: logger),
                live: live, signals: signals),
            TimedService(every: .seconds(settings.pollSeconds)) {
                signal.yield()
                probe.yield()
            },
            ControlListener(
                consumer: Consumer(
                    address, source: .privateQueue(exchange: names.control, routingKey: ""), topology: topology,
                    prefetch: 16,
                    maximumBodyBytes: 1 << 16,
                    report: { event in
                        if case .lost(let error, _) = event {
                            logger.warning(
                                "nobody can say pause, resume or cancel over AMQP now", metadata: ["error": "\(error)"])
                        }
                    }),
                store: store("control"), dispatcher: dispatcher, condition: condition, logger: logger),
            dispatcher,
            ProbeService(
                store: store("probes"), worker: worker, condition: condition, name: settings.workerName, signals: probes
            ) { signal.yield() },
            Intake(
                consumer: Consumer(
                    address, source: .queue(names.jobs), topology: topology, prefetch: UInt16(Intake.batch),
                    maximumBodyBytes: settings.messageMiB << 20, heldBytes: Intake.heldBytes, isPaused: true,
                    report: received),
                store: store("intake"), doubtfulStore: store("intake-doubtful"), artifacts: artifacts, shared: shared,
                reader: MessageReader(largestBody: settings.messageMiB << 20) { models.choice }, models: models,
                condition: condition, logger: logger
            ) { kinds in
                if kinds.contains(.probe) { probe.yield() }
                if kinds.contains(where: \.needsEngine) { dispatcher.poll() }
            },
        ]
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(settings.drainSeconds + 30)
        try await ServiceGroup(configuration: configuration).run()
        logger.notice("stopped")
        return 0
    }

    /// Whether the tables are there. PostgreSQL being away is no reason not to start: the daemon waits for it.
    private static func hasSchema(_ store: Store, _ logger: Logger) async -> Bool {
        do {
            try await store.query("select 1 from atelier.jobs limit 0")
            guard try await store.lacks(Migrations.newest) else { return true }
            logger.critical(
                "the schema is older than this daemon: run atelierctl migrate",
                metadata: ["missing": "\(Migrations.newest)"])
            return false
        } catch StoreError.refused(let state, let message) {
            logger.critical(
                "the schema is not there: run atelierctl migrate",
                metadata: ["error": "\(message)", "sqlstate": "\(state)"])
            return false
        } catch {
            logger.warning("PostgreSQL is not there yet", metadata: ["error": "\(error)"])
            return true
        }
    }
}
