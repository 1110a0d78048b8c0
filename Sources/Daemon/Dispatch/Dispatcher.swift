import Foundation
import Jobs
import Logging
import ServiceLifecycle
import Store

/// Fills the slots: claims a job whenever one is free, runs its supervisor, and at the end drains.
///
/// A drain asks every engine for a checkpoint and waits; when the time is up the engines are killed, and the jobs go on
/// from their last checkpoint at the next start.
actor Dispatcher: Service {
    private struct Running {
        let attempt: Int
        let kind: JobKind
        let supervisor: EngineSupervisor
        let task: Task<Void, Never>
    }

    private var settings: Settings
    private let store: Store
    private let worker: WorkerRegistration
    private let live: LiveEvents
    private let artifacts: ArtifactDirectory
    private let shared: SharedFolder
    private let condition: ServiceHealth
    private let notifier: SystemNotifier
    private let logger: Logger

    private var running: [UUID: Running] = [:]
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private var alarm: Task<Void, any Error>?
    private var isClaiming = false
    private var isDraining = false
    private var isShortOfDisk = false
    /// Waits after faults of this host, longer each time until an attempt can run again.
    private var fault = Backoff(base: 1, cap: 60)
    private var restsUntil = ContinuousClock.now

    /// Claims in the name of `worker`.
    init(
        settings: Settings, store: Store, worker: WorkerRegistration, live: LiveEvents, artifacts: ArtifactDirectory,
        shared: SharedFolder, condition: ServiceHealth,
        notifier: SystemNotifier, logger: Logger
    ) {
        self.settings = settings
        self.store = store
        self.worker = worker
        self.live = live
        self.artifacts = artifacts
        self.shared = shared
        self.condition = condition
        self.notifier = notifier
        self.logger = logger
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func run() async throws {
        let polling = Task { [settings, signal] in
            while !Task.isCancelled {
                signal.yield()
                try? await Task.sleep(for: .seconds(settings.pollSeconds * Double.random(in: 0.8...1.2)))
            }
        }
        // Also without its servers: it takes up work as soon as they are there, and says meanwhile what is missing.
        notifier.ready(status: condition.phrase)
        await withGracefulShutdownHandler {
            for await _ in signals where !isDraining { await fill() }
        } onGracefulShutdown: { [signal] in
            signal.finish()
        }
        polling.cancel()
        alarm?.cancel()
        await drain()
    }

    /// There may be work: somebody said so.
    nonisolated func poll() { signal.yield() }

    /// Attempts begin with these settings from now on.
    func adopt(_ settings: Settings) {
        self.settings = settings
        signal.yield()
    }

    /// Cancels the job if it runs here.
    func cancel(_ job: UUID) async { await running[job]?.supervisor.stop(.cancelled) }

    /// Compares what runs here with what the tables say: what is not ours any more ends, what is to be cancelled is,
    /// and what is ours without our knowing, for the answer to a claim was lost, is given back. `asked` is what ran
    /// before the heartbeat, by its attempt: the same job may have been claimed anew meanwhile.
    func reconcile(_ heartbeat: Heartbeat, asked: [UUID: Int]) async {
        for (job, running) in running
        where asked[job] == running.attempt && heartbeat.owned[job] != running.attempt {
            await running.supervisor.stop(.lostClaim)
        }
        for job in heartbeat.cancelling { await cancel(job) }
        for (job, attempt) in heartbeat.owned where running[job] == nil && asked[job] == nil && !isClaiming {
            await giveBack(job, attempt)
        }
    }

    private func giveBack(_ job: UUID, _ attempt: Int) async {
        let end = AttemptResult(
            outcome: .interrupted, code: "daemon.interrupted", message: "claimed, but the answer that says so was lost"
        )
        guard let state = try? await store.finish(job, attempt, end) else { return }
        logger.warning(
            "unknown claim given back",
            metadata: [
                "job.id": "\(job.uuidString.lowercased())", "job.attempt": "\(attempt)",
                "job.state": "\(state.rawValue)",
            ])
    }

    /// The jobs whose engines run here, and their attempts. Ask before the heartbeat: a job claimed meanwhile is not
    /// missing.
    var jobs: [UUID: Int] { running.mapValues(\.attempt) }

    private func fill() async {
        guard !condition.isPaused, ContinuousClock.now >= restsUntil else { return }
        guard SlotKind.allCases.contains(where: { free($0) > 0 }) else { return }
        do {
            guard let id = worker.id else { return }  // not registered: the heartbeat does that
            try await shared.check()  // what hangs is not asked for its room
            guard try await hasDisk() else { return condition.report(.disk) }
            // Where workspaces lie: what keeps more there would end amid its work.
            let room = try await runBlocking { [folder = settings.sharedDirectory] in FreeDisk(of: folder) }
            condition.report(nil)
            isClaiming = true
            defer { isClaiming = false }
            var isIdle = false
            for kind in SlotKind.allCases where free(kind) > 0 {
                try await shared.check()
                let claims = try await store.claim(
                    id, free(kind), kinds: kind.kinds, diskBytes: room.mebibytes << 20)
                for claim in claims { start(claim) }
                isIdle = isIdle || free(kind) > 0
            }
            condition.found(.store)
            if isIdle { pollWhenDue(try await store.secondsUntilDue()) }
        } catch let error where error is SharedFolder.Strange || error is HangingFolder {
            condition.report(.folder)  // it has said so; the next poll may find it mounted
        } catch let error as StoreError {
            condition.lost(.store, error)
        } catch {
            logger.error("no job can be claimed here", metadata: ["error": "\(sentence(of: error))"])
            rest(fault.next())
        }
    }

    private func free(_ kind: SlotKind) -> Int {
        settings.slots(kind) - running.values.count { SlotKind($0.kind) == kind }
    }

    /// A job that waits for its time is claimed then, not when the next poll happens to come. Later ones are left to
    /// that poll.
    private func pollWhenDue(_ seconds: Double?) {
        alarm?.cancel()
        guard let seconds, seconds < settings.pollSeconds else { return }
        alarm = Task { [signal] in
            // Not sooner than it is due; and what another daemon is just claiming is no reason to hurry.
            try await Task.sleep(for: .seconds(max(seconds, 0.05) + 0.002))
            signal.yield()
        }
    }

    private func start(_ claim: ClaimedJob) {
        var logger = logger
        logger[metadataKey: "job.id"] = "\(claim.job.uuidString.lowercased())"
        logger[metadataKey: "job.attempt"] = "\(claim.attempt)"
        logger[metadataKey: "job.tenant"] = "\(claim.tenant)"
        let supervisor = EngineSupervisor(
            settings: settings, record: AttemptRecord(claim: claim, store: store, live: live),
            inputs: AttemptInputs(
                claim: claim, store: store, artifacts: artifacts,
                workspace: AttemptWorkspace(settings: settings, job: claim.job, attempt: claim.attempt),
                settings: settings, logger: logger))
        logger.info("job claimed", metadata: ["job.kind": "\(claim.kind)"])
        let task = Task {
            let couldGoOn = await supervisor.run()
            self.ended(claim.job, claim.attempt, couldGoOn: couldGoOn)
        }
        running[claim.job] = Running(attempt: claim.attempt, kind: claim.kind, supervisor: supervisor, task: task)
        condition.running(running.count)
    }

    private func ended(_ job: UUID, _ attempt: Int, couldGoOn: Bool) {
        // An engine that was long in ending leaves a job that was given up, and may run here again already.
        if running[job]?.attempt == attempt { running[job] = nil }
        condition.running(running.count)
        if couldGoOn {
            fault.reset()
            signal.yield()
        } else {
            rest(fault.next())
        }
    }

    /// Claims nothing for a while: what this host cannot start, another may, and it would only be claimed again and
    /// again.
    private func rest(_ wait: Duration) {
        restsUntil = .now + wait
        condition.report(.attempt)
        let seconds = (wait / .seconds(1)).formatted(.number.precision(.fractionLength(1)))
        logger.error("no new work for a while: this host is at fault", metadata: ["seconds": "\(seconds)"])
        Task { [signal] in
            try? await Task.sleep(for: wait)
            signal.yield()
        }
    }

    /// Whether there is room for new work; says so when that changes.
    private func hasDisk() async throws -> Bool {
        let settings = settings
        let free = try await runBlocking { settings.freeDisk }
        let isShort = free.mebibytes < settings.freeDiskMiB
        if isShort != isShortOfDisk {
            isShortOfDisk = isShort
            let metadata: Logger.Metadata = [
                "disk.folder": "\(free.folder)", "disk.free_mib": "\(free.mebibytes)",
                "disk.needed_mib": "\(settings.freeDiskMiB)",
            ]
            if isShort {
                logger.error("disk too full for new work", metadata: metadata)
            } else {
                logger.notice("disk has room again", metadata: metadata)
            }
        }
        return !isShort
    }

    private func drain() async {
        isDraining = true
        condition.stopping()
        notifier.stopping(status: condition.phrase)
        notifier.extendTimeout(.seconds(settings.drainSeconds + 15))
        let leaving = Array(running.values)
        guard !leaving.isEmpty else { return }
        logger.notice(
            "draining", metadata: ["jobs.running": "\(leaving.count)", "drain.seconds": "\(settings.drainSeconds)"])
        for job in leaving { await job.supervisor.stop(.draining) }
        let deadline = Task { [settings] in
            try await Task.sleep(for: .seconds(settings.drainSeconds))
            for job in leaving {
                await job.supervisor.kill()
                job.task.cancel()
            }
        }
        let drained: Task<Void, any Error> = Task { for job in leaving { await job.task.value } }
        defer { deadline.cancel() }
        do {
            try await value(of: drained, within: .seconds(settings.drainSeconds + 10), or: Overdue())
            logger.notice("drained")
        } catch {
            logger.error("a disk that does not answer keeps jobs from ending; they are taken up again elsewhere")
        }
    }

    /// A drain is over, whatever hangs.
    private struct Overdue: Error {}
}
