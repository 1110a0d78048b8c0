import Foundation
import Hashing
import Jobs
import Logging
import Store

/// Runs one attempt of one job: prepares its folder, starts the engine, writes down what it says, and commits how it
/// ends.
///
/// Everything an engine says goes through here, and here alone is written for its attempt, so order and fencing are
/// simple. What follows from what is decided by `AttemptEnding`; this actor only acts.
package actor EngineSupervisor {
    private let settings: Settings
    private let record: AttemptRecord
    private let inputs: AttemptInputs
    private let artifacts: ArtifactDirectory
    private let workspace: AttemptWorkspace
    private let logger: Logger

    private var process: EngineProcess?
    private var asked: StopReason?
    private var updates = AttemptUpdates()
    private var pace: ProgressPace
    /// What the job is done with, as its result tells.
    private var seed: Int?
    private var produced: [EngineEvent.Artifact] = []
    /// The engine's last word.
    private var reported: FinalEvent?
    private var isHostAtFault = false
    /// PostgreSQL refused what the attempt begins with, for good.
    private var isRefused = false
    private var checkpoints = CheckpointFiles()
    private var mostMiB = 0
    /// The most that was seen.
    private var memory = EngineMemory()
    /// Polls since the engine said something: a daemon that was stopped itself does not look.
    private var silentPolls = 0

    /// The supervisor of the attempt that `record` stands for.
    package init(settings: Settings, record: AttemptRecord, inputs: AttemptInputs) {
        (self.settings, self.record, self.inputs) = (settings, record, inputs)
        (artifacts, workspace, logger) = (inputs.artifacts, inputs.workspace, inputs.logger)
        pace = ProgressPace(estimatedSeconds: record.claim.estimatedSeconds)
    }

    /// Runs the attempt to its end, commit included. Gives whether the attempt could go on here: where not, this host
    /// is at fault, and the next attempt would fare no better.
    package func run() async -> Bool {
        await attempt()
        return !isHostAtFault
    }

    private func attempt() async {
        do {
            let order = try await prepare()
            if let asked { return await settle(Self.ending(before: asked)) }
            let process = try await start()
            self.process = process
            if let asked { stop(asked) }  // what was asked while it started
            await follow(process, order: order)
        } catch let problem as AttemptProblem {
            let failed = EngineEvent.Failed(
                code: problem.code, consequence: problem.consequence, message: problem.message,
                problems: problem.problems)
            await settle(.failed(failed))
        } catch let error as StoreError {
            isRefused = !error.isTemporary
            if isRefused {
                logger.error(
                    "PostgreSQL refuses what the attempt begins with: see its log, and atelierctl doctor",
                    metadata: ["error": "\(error)"])
            }
            await settle(.interrupted(error.description))
        } catch {
            // A folder that cannot be made, a program that cannot be started: no job's doing, and no job is charged for
            // it.
            isHostAtFault = true
            let reason = sentence(of: error)
            logger.error("this host cannot start an attempt", metadata: ["error": "\(reason)"])
            await settle(.interrupted("this host cannot start it: \(reason)"))
        }
    }

    private static func ending(before asked: StopReason) -> AttemptEnding {
        switch asked {
        case .cancelled: .cancelled
        case .lostClaim: .lost
        default: .interrupted("stopped before the engine began")
        }
    }

    /// Stops the attempt: a lost claim at once, everything else with time for a checkpoint. The first reason stays,
    /// except that a lost claim beats every other.
    package func stop(_ reason: StopReason) {
        if asked == nil || reason == .lostClaim { asked = reason }
        guard let process else { return }
        switch reason {
        case .cancelled, .draining:
            process.terminate()
            // A cancelled job needs no checkpoint.
            let grace = reason == .cancelled ? min(settings.graceSeconds, 3) : settings.graceSeconds
            Task {
                try? await Task.sleep(for: .seconds(grace))
                process.kill()  // of no effect when it has ended
            }
        case .lostClaim, .memory, .silence, .protocolViolation, .unavailable:
            process.kill()
        }
    }

    /// Ends the engine without any more waiting: the daemon's time is up.
    package func kill() { process?.kill() }
}

// MARK: Before

extension EngineSupervisor {
    private func prepare() async throws -> Data {
        let workspace = workspace
        var backoff = Backoff()
        var isWaiting = false
        while true {
            try await runBlocking { try workspace.create() }
            do {
                let order = try await inputs.order()
                seed = order.spec.seed
                return order.line
            } catch let error as StoreError {
                // PostgreSQL went away between the claim and now: wait for it, unless there is no time.
                guard error.isTemporary, asked == nil, !Task.isCancelled else { throw error }
                if !isWaiting {
                    isWaiting = true
                    logger.warning(
                        "the attempt waits for PostgreSQL; if that goes on: atelierctl doctor",
                        metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    private func start() async throws -> EngineProcess {
        let environment = EngineCommand.environment(
            of: ProcessInfo.processInfo.environment, threads: settings.engineThreads, temporary: workspace.folder)
        let command = EngineCommand(
            executable: settings.engine, arguments: ["work"], environment: environment, directory: workspace.folder,
            log: workspace.log, niceness: settings.niceness(of: record.claim.kind),
            reserveMiB: EngineMemory.reserveMiB(limitMiB: settings.engineMemoryMiB))
        let (models, workspace) = (settings.confinedModels, workspace)
        return try await runBlocking { [command] in
            var command = command
            command.confinement = models.map {
                Confinement.engine(command.executable, models: $0, workspace: workspace)
            }
            return try EngineProcess(command)
        }
    }
}

// MARK: During

extension EngineSupervisor {
    /// What an engine says of this host's installation: another host may do the job.
    private static let hostFaults: Set = [
        "model.missing", "model.damaged", "encoder.missing", "encoder.damaged", "host.disk",
    ]

    private func follow(_ process: EngineProcess, order: Data) async {
        logger.info("engine started", metadata: ["engine.pid": "\(process.pid)"])
        let watch = Task { await self.watch(process) }
        do {
            // The pipe may be full, and the engine may not read.
            try await runBlocking { try process.send(order) }
            for try await line in process.lines {
                await handle(line)
                process.handled()
            }
        } catch let error as LineFramer.TooLong {
            stop(.protocolViolation(error.description))
        } catch {
            // The engine went away before it had its order: its exit says why.
            process.kill()
        }
        let exit = await process.exit()
        watch.cancel()
        await watch.value
        // Between two polls it may have come up to the wall, where it ends by itself.
        if asked == nil, reported == nil,
            memory.isTheCause(limitMiB: settings.engineMemoryMiB, peakMiB: Int(exit.peakMemoryBytes >> 20))
        {
            asked = .memory(limitMiB: settings.engineMemoryMiB)
        }
        var ending = AttemptEnding.decide(reported: reported, asked: asked, exit: exit)
        if case .failed(let failed) = ending, isHostAtFault {
            ending = .interrupted("\(failed.code): \(failed.message)")
        }
        logger.info(
            "engine ended",
            metadata: [
                "engine.exit": "\(exit.phrase)", "engine.peak_memory_bytes": "\(exit.peakMemoryBytes)",
                "attempt.ending": "\(ending)",
            ])
        await settle(ending, exit: exit)
    }

    private func handle(_ line: Data) async {
        silentPolls = 0
        let event: EngineEvent
        do { event = try EngineEvent(line: line) } catch {
            return stop(.protocolViolation("the engine said what is no event: \(error)"))
        }
        switch event {
        case .started(let started): updates.started = started
        case .alive: break  // as every line, it ended a silence
        case .progress(let progress): (updates.progress, updates.pace) = (progress, pace.read(progress))
        case .metric(let metric): updates.metrics.append(metric)
        case .checkpoint(let checkpoint): await take(checkpoint)
        case .artifact(let artifact): await take(artifact)
        case .done(let done): end(saying: .done(done))
        case .interrupted: end(saying: .interrupted)
        case .failed(let failed):
            end(saying: .failed(failed))
            if Self.hostFaults.contains(failed.code) { isHostAtFault = true }
        }
    }

    /// An engine has one last word; where it says more the first counts.
    private func end(saying word: FinalEvent) {
        if reported == nil { reported = word }
    }

    private func take(_ checkpoint: EngineEvent.Checkpoint) async {
        let workspace = workspace
        guard (try? await runBlocking { workspace.contains(checkpoint.path) }) == true else {
            return stop(.protocolViolation("the checkpoint \(checkpoint.path) is not in the attempt's workspace"))
        }
        checkpoints.announce(checkpoint.path)
        updates.checkpoint = checkpoint
    }

    /// Roles of what somebody may want before the job ends, or without its end: it is written down with the next
    /// updates.
    private static let earlyRoles: Set<ArtifactRole> = [.preview, .proxy, .proxies]

    /// Moves the file into the store before any transaction names it.
    private func take(_ artifact: EngineEvent.Artifact) async {
        let artifacts = artifacts
        let folder = workspace.folder
        do {
            guard let digest = SHA256Digest(artifact.sha256) else {
                return stop(.protocolViolation("\(artifact.name) has no SHA-256: \(artifact.sha256)"))
            }
            _ = try await runBlocking { try artifacts.take(artifact.path, inside: folder, announced: digest) }
            produced.append(artifact)
            if Self.earlyRoles.contains(artifact.role) { updates.artifacts.append(artifact) }
        } catch let refusal as ArtifactDirectory.Refusal {
            stop(.protocolViolation(refusal.description))
        } catch {
            isHostAtFault = true
            let reason = sentence(of: error)
            logger.error("the artifact store failed", metadata: ["artifact": "\(artifact.name)", "error": "\(reason)"])
            stop(.unavailable("the artifact store failed: \(reason)"))
        }
    }

    /// Twice a second what is new goes to the tables, and ten times a second the engine's memory is looked at.
    private func watch(_ process: EngineProcess) async {
        while !Task.isCancelled {
            for _ in 0..<5 where !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                if let used = process.memory { checkMemory(used) }
            }
            silentPolls += 1
            if settings.engineSilenceSeconds > 0, silentPolls > 2 * settings.engineSilenceSeconds {
                stop(.silence(seconds: settings.engineSilenceSeconds))
            }
            await write()
        }
    }

    private func checkMemory(_ used: EngineMemory) {
        memory.raise(to: used)
        let residentMiB = used.residentMiB
        // An eighth more is updates; less would be written down all the time.
        if residentMiB > mostMiB + mostMiB / 8 {
            mostMiB = residentMiB
            updates.memory = Int64(residentMiB) << 20
        }
        if settings.engineMemoryMiB > 0, residentMiB > settings.engineMemoryMiB {
            stop(.memory(limitMiB: settings.engineMemoryMiB))
        }
    }

    private func write() async {
        guard !updates.isEmpty else { return }
        let batch = updates
        updates = AttemptUpdates()
        switch await record.write(batch) {
        case .written(let isCancelling):
            if let written = batch.checkpoint {
                let (old, isLater) = (checkpoints.write(written.path), checkpoints.areAllOurs)
                let workspace = workspace
                try? await runBlocking { workspace.remove(old, isLaterThanOthers: isLater) }
            }
            if isCancelling && asked == nil { stop(.cancelled) }
        case .lost: stop(.lostClaim)
        case .unavailable: updates.putBack(batch)
        case .refused(let reason): stop(.protocolViolation("what the engine said cannot be written down: \(reason)"))
        }
    }
}

// MARK: After

extension EngineSupervisor {
    /// Commits the ending, again and again while PostgreSQL is away: a finished job is not thrown away for a database
    /// restart.
    private func settle(_ ending: AttemptEnding, exit: EngineExit? = nil) async {
        guard ending != .lost else { return logger.warning("claim lost; nothing is written") }
        var backoff = Backoff()
        var end = result(of: ending, exit: exit)
        while true {
            await write()
            switch await record.close(end) {
            case .closed(let state):
                let workspace = workspace
                if state.isFinal && state != .discarded { try? await runBlocking { workspace.removeJob() } }
                return note(end, state)
            case .lost:
                return logger.warning("claim lost; nothing is written")
            case .refused(let problem):
                // What was to be written is at fault: an ending without it must do.
                logger.error("ending refused", metadata: ["error": "\(problem)"])
                guard end.code != "result.refused" else { return }
                end = AttemptResult(outcome: .failed, consequence: .fatal, code: "result.refused", message: problem)
            case .unavailable:
                if Task.isCancelled {
                    return logger.warning("the ending could not be written in time; the job will be taken up again")
                }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Louder where it cost the job an attempt. What an engine says of it may quote prompts: `jobs show` has that.
    private func note(_ end: AttemptResult, _ state: JobState) {
        var metadata: Logger.Metadata = [
            "attempt.outcome": "\(end.outcome.rawValue)", "job.state": "\(state.rawValue)",
        ]
        if let code = end.code { metadata["error.code"] = "\(code)" }
        let level: Logger.Level =
            switch end.outcome {
            case .crashed: .warning
            case .failed: .notice
            default: .info
            }
        logger.log(level: level, "attempt closed", metadata: metadata)
    }

    private func result(of ending: AttemptEnding, exit: EngineExit?) -> AttemptResult {
        var result = AttemptResult(
            outcome: .completed, logTail: process?.log.tail ?? "", peakMemoryBytes: exit?.peakMemoryBytes,
            processorSeconds: exit?.processorSeconds)
        switch ending {
        case .completed(let done):
            result.result = done.result.adding("seed", seed.map(JSONValue.integer))
            result.artifacts = produced
        case .failed(let failed):
            result.outcome = .failed
            result.consequence = failed.consequence
            (result.code, result.message, result.problems) = (failed.code, failed.message, failed.problems)
        case .crashed(let code, let message):
            result.outcome = .crashed
            (result.code, result.message) = (code, message)
            if code == "engine.memory", let exit {
                let peak = max(Int(exit.peakMemoryBytes >> 20), memory.residentMiB)
                result.message = "\(message); it held \(peak) MiB when it ended. Raise engineMemoryMiB"
            }
        case .interrupted(let reason):
            result.outcome = .interrupted
            // Before an engine ran nothing is known of the job; after, it may be what no host can do. So may be what
            // PostgreSQL refuses.
            (result.code, result.message) = (
                isHostAtFault && process != nil || isRefused ? "host.fault" : "daemon.interrupted", reason
            )
        case .cancelled, .lost:
            result.outcome = .cancelled
            (result.code, result.message) = ("job.cancelled", "cancelled on request")
        }
        return result
    }
}
