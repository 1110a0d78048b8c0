import Broker
import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// The daemon, put together: who knows whom, in which order it starts, and in the reverse of which it stops.
package enum Services {
    /// Runs until SIGTERM or SIGINT; at SIGHUP, `read` gives the settings anew. Gives the exit status: 0 stopped as
    /// asked, 69 something needed is not there, 78 wrong configuration.
    package static func run(
        _ settings: Settings, environment: [String: String], read: @escaping @Sendable () throws -> Settings
    ) async -> Int32 {
        let threshold = LogThreshold(Logger.Level(rawValue: settings.logLevel) ?? .info)
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, threshold: threshold) }
        let logger = Logger(label: "atelierd")
        // An engine or a server that goes away is an error of the write, no end of the daemon.
        signal(SIGPIPE, SIG_IGN)
        do {
            let parts = try Parts(settings, SystemNotifier(environment: environment), logger, threshold)
            guard await parts.greetsEngine(environment) else { return 78 }
            return try await parts.run(read)
        } catch {
            logger.critical("stopped by an error", metadata: ["error": "\(error)"])
            return 69
        }
    }
}

extension Parts {
    fileprivate func run(_ read: @escaping @Sendable () throws -> Settings) async throws -> Int32 {
        guard access(settings.engine, X_OK) == 0 else {
            logger.critical("engine cannot be executed", metadata: ["engine": "\(settings.engine)"])
            return 78
        }
        if settings.confinedModels != nil, !Confinement.isPossible {
            logger.warning("engines have this user's rights: the kernel has no Landlock to take the daemon's from them")
        }
        guard await hasSchema(store("start")) else { return 69 }
        // Models may lie on a mount that hangs: then none are known until it answers.
        let reading: Task<Bool, any Error> = Task { await models.reread() }
        _ = try? await value(of: reading, within: .seconds(15), or: Overdue())
        let notifications = notifications
        defer { notifications.stop() }
        var configuration = ServiceGroupConfiguration(
            services: services(read).map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(settings.drainSeconds + 30)
        try await ServiceGroup(configuration: configuration).run()
        logger.notice("stopped")
        return 0
    }

    /// The models' folder does not answer.
    private struct Overdue: Error {}

    /// Whether the engine speaks this daemon's protocol; what it does not do is said, for those jobs will fail. An
    /// engine that cannot be executed is told of later.
    fileprivate func greetsEngine(_ environment: [String: String]) async -> Bool {
        guard access(settings.engine, X_OK) == 0 else { return true }
        guard let answer = await EngineGreeting(settings, environment: environment).answer() else {
            logger.warning(
                "the engine does not say which protocol it speaks; it is taken for one of this version",
                metadata: ["engine": "\(settings.engine)", "protocol.version": "\(EngineProtocol.version)"])
            return true
        }
        if let remedy = answer.remedy {
            logger.critical(
                "the engine speaks another version of the protocol",
                metadata: ["engine": "\(settings.engine)", "remedy": "\(remedy)"])
            return false
        }
        if !answer.lacks.isEmpty {
            logger.warning(
                "the engine does not do every job: these will fail",
                metadata: ["engine": "\(answer.engine)", "jobs": "\(answer.lacks.joined(separator: ", "))"])
        }
        return true
    }

    /// Whether the tables are there. PostgreSQL being away is no reason not to start: the daemon waits for it.
    private func hasSchema(_ store: Store) async -> Bool {
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

    /// From the last to the first they stop: intake, then the jobs, then their outcomes, then the heartbeat.
    private func services(_ read: @escaping @Sendable () throws -> Settings) -> [any Service] {
        let rescuer = Rescuer(lease: settings.leaseSeconds, store: sweeping, condition: condition, logger: logger)
        return [
            Watchdog(notifier: notifier),
            reload(read),
            heartbeat,
            TimedService(every: .seconds(settings.heartbeatSeconds)) { await calibration.maintain() },
            TimedService(every: .seconds(max(1, settings.leaseSeconds / 3))) { await rescuer.sweep() },
            TimedService(every: .seconds(60)) { await maintenance.maintain() },
            TimedService(every: .seconds(settings.heartbeatSeconds)) {
                await models.maintain(worker, sweeping, condition)
                await inspector.renew()
            },
            outbox,
            TimedService(every: .seconds(settings.pollSeconds)) {
                outgoing.raise()
                probing.raise()
            },
            control,
            estimates,
            dispatcher,
            probes,
            intake,
        ]
    }
}

// MARK: What tells whom

extension Parts {
    /// What PostgreSQL says meanwhile; without it the tables are looked at every some seconds.
    private var notifications: Notifications {
        Notifications(
            url: settings.postgresURL.reveal(), channels: ["atelier_jobs", "atelier_outbox", "atelier_control"],
            lost: noteNotifications
        ) { [dispatcher, probing, outgoing] channel, payload in
            if channel != "atelier_outbox" {
                if payload != JobKind.probe.rawValue { dispatcher.poll() }
                probing.raise()
            }
            if channel != "atelier_jobs" { outgoing.raise() }
            if let job = UUID(uuidString: payload) { Task { await dispatcher.cancel(job) } }
        }
    }

    @Sendable private func noteBroker(_ event: ConnectionEvent) {
        switch event {
        case .connected:
            condition.found(.broker)
            outgoing.raise()  // what waited for the broker
        case .lost(let error, _): condition.lost(.broker, error)
        default: logger.notice("broker connection changed", metadata: ["event": "\(event)"])
        }
    }

    @Sendable private func noteNotifications(_ error: any Error) {
        logger.warning(
            "nothing is received from PostgreSQL; looked for every \(settings.pollSeconds) s instead",
            metadata: ["error": "\(error)"])
    }

    @Sendable private func noteControl(_ event: ConnectionEvent) {
        guard case .lost(let error, _) = event else { return }
        condition.note("nobody can say pause, resume or cancel over AMQP now", without: .broker, error)
    }
}

// MARK: The services

extension Parts {
    private func reload(_ read: @escaping @Sendable () throws -> Settings) -> Reload {
        Reload(settings: settings, read: read, notifier: notifier, condition: condition, logger: logger) { settings in
            threshold.level = Logger.Level(rawValue: settings.logLevel) ?? .info
            limits.adopt(settings)
            await maintenance.keep(settings.retention)
            await dispatcher.adopt(settings)
            await calibration.adopt(settings)
            await inspector.confine(to: settings.confinedModels)
        }
    }

    private var heartbeat: HeartbeatService {
        HeartbeatService(
            settings: settings, folder: lock.folder, store: store("heartbeat"), worker: worker, models: models,
            dispatcher: dispatcher, condition: condition, logger: logger)
    }

    private var attachment: ResultAttachment {
        ResultAttachment(artifacts: artifacts, limit: settings.attachMiB << 20, address: settings.webURL)
    }

    private var outbox: OutboxPublisher {
        OutboxPublisher(
            fresh: OutboxSender(
                lane: .fresh, publisher: Publisher(address, topology: topology, report: noteBroker),
                store: store("outbox"), eventsExchange: names.events, condition: condition, logger: logger,
                attachment: attachment),
            doubtful: OutboxSender(
                lane: .doubtful, publisher: Publisher(address, topology: topology, name: "atelier-publisher-doubtful"),
                store: store("outbox-doubtful"), eventsExchange: names.events, condition: condition, logger: logger,
                attachment: attachment),
            live: live, signals: outgoing.stream)
    }

    private var control: ControlListener {
        ControlListener(
            consumer: Consumer(
                address, source: .privateQueue(exchange: names.control, routingKey: ""), topology: topology,
                prefetch: 16, maximumBodyBytes: ControlListener.largestBody, report: noteControl),
            store: store("control"), dispatcher: dispatcher, tenants: tenants, condition: condition, logger: logger
        ) { questions.continuation.yield($0) }
    }

    private var estimates: EstimateService {
        EstimateService(
            questions: questions.stream, publisher: Publisher(address, name: "atelier-publisher-estimates"),
            store: store("estimates"), models: models, inspector: inspector, room: room, name: settings.workerName,
            logger: logger)
    }

    private var room: WorkspaceRoom {
        WorkspaceRoom(shared: shared, folder: settings.sharedDirectory, limits: limits)
    }

    private var probes: ProbeService {
        ProbeService(
            store: store("probes"), worker: worker, condition: condition, name: settings.workerName,
            signals: probing.stream
        ) { outgoing.raise() }
    }

    private var intake: Intake {
        let largest = settings.messageMiB << 20
        return Intake(
            consumer: Consumer(
                address, source: .queue(names.jobs), topology: topology, prefetch: UInt16(Intake.batch),
                maximumBodyBytes: largest, heldBytes: Intake.heldBytes, isPaused: true, report: noteBroker),
            store: store("intake"), doubtfulStore: store("intake-doubtful"), artifacts: artifacts, shared: shared,
            reader: MessageReader(largestBody: largest, tenants: tenants) { models.choice }, models: models,
            inspector: inspector, limits: limits, room: room, condition: condition,
            logger: logger
        ) { kinds in
            if kinds.contains(.probe) { probing.raise() }
            if kinds.contains(where: \.needsEngine) { dispatcher.poll() }
        }
    }
}
