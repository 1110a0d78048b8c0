import Broker
import Foundation
import Jobs
import Logging
import Store

/// What a daemon consists of before anything of it runs: one of each, which its services share.
struct Parts: Sendable {
    let settings: Settings
    let notifier: SystemNotifier
    let logger: Logger
    let threshold: LogThreshold
    /// Held to the end: one daemon for each state folder.
    let lock: StateLock
    let address: BrokerAddress
    let names: TopologyNames
    let tenants: TenantRules
    let condition: ServiceHealth
    let artifacts: ArtifactDirectory
    let shared: SharedFolder
    let live = LiveEvents()
    let worker = WorkerRegistration()
    let models: ModelRegistry
    let dispatcher: Dispatcher
    let inspector: Inspector
    let limits: HostLimits
    let maintenance: Maintenance
    let calibration: CalibrationService
    /// For what runs now and then, and is in no hurry.
    let sweeping: Store
    /// Messages may wait in the outbox.
    let outgoing = Signal()
    /// Probes may wait.
    let probing = Signal()
    /// Who asks what jobs would take.
    let questions = AsyncStream<EstimateQuestion>.makeStream(bufferingPolicy: .bufferingOldest(EstimateService.most))

    var topology: Topology { .atelier(names) }

    /// Takes the state folder's lock, and makes what may be missing in it.
    /// - Throws: `SystemError` where another daemon has the folder, or it cannot be used; `BrokerError.badAddress`.
    init(_ settings: Settings, _ notifier: SystemNotifier, _ logger: Logger, _ threshold: LogThreshold) throws {
        (self.settings, self.notifier, self.logger, self.threshold) = (settings, notifier, logger, threshold)
        // What lies in the shared folder is made once that answers.
        for folder in [settings.stateDirectory, settings.inspectionDirectory, settings.logsDirectory] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        lock = try StateLock(directory: settings.stateDirectory)
        address = try settings.broker()
        names = TopologyNames(prefix: settings.topologyPrefix)
        tenants = TenantRules(settings, user: address.user)
        limits = HostLimits(settings)
        condition = ServiceHealth(notifier: notifier, logger: logger)
        artifacts = ArtifactDirectory(existing: settings.artifactsDirectory)
        let keeping = Self.store("maintenance", settings)
        shared = SharedFolder(
            directory: settings.sharedDirectory, folders: [artifacts.incoming, settings.workspacesDirectory],
            store: keeping, logger: logger)
        models = ModelRegistry(directory: settings.modelsDirectory, logger: logger)
        dispatcher = Dispatcher(
            settings: settings, store: Self.store("jobs", settings), worker: worker, live: live, artifacts: artifacts,
            shared: shared, condition: condition, notifier: notifier, logger: logger)
        inspector = Inspector(
            command: .inspection(settings, environment: ProcessInfo.processInfo.environment),
            models: settings.confinedModels, logger: logger)
        maintenance = Maintenance(
            retention: settings.retention, store: keeping, artifacts: artifacts,
            sweeper: WorkspaceSweeper(settings: settings), shared: shared, logger: logger)
        sweeping = Self.store("rescue", settings)
        calibration = CalibrationService(
            settings: settings, environment: ProcessInfo.processInfo.environment, worker: worker, store: sweeping,
            logger: logger)
    }

    /// A connection of its own for each purpose, called so in PostgreSQL's list of them.
    func store(_ name: String) -> Store { Self.store(name, settings) }

    private static func store(_ name: String, _ settings: Settings) -> Store {
        Store(url: settings.postgresURL.reveal(), application: "atelierd/\(name)")
    }
}
