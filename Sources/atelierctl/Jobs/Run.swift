import ArgumentParser
import Checkpoints
import Daemon
import Foundation
import Hashing
import Jobs

struct Run: AsyncParsableCommand {
    /// Where what a job makes goes unless somebody says otherwise.
    static let usualOut = "atelier-output"
    static let configuration = CommandConfiguration(
        abstract: "Run a job by the engine alone: no broker, no database.",
        discussion:
            """
            A picture {\"file\": \"rex.png\"} is read from beside the JSON file. Interrupting (Ctrl-C, SIGTERM, a \
            terminal that is gone) writes a checkpoint where the kind has one; --resume FILE goes on from it. What an \
            earlier run learnt into the same folder is not written over; its pictures are. Of proxies the folder has a \
            list, by which another run learns from them: --proxies rex=FOLDER.
            """
    )
    @OptionGroup var server: ServerOptions
    @Argument(help: "The job's JSON; - reads stdin.") var file: String
    @Option(help: "The folder for what the job makes.") var out = Run.usualOut
    @OptionGroup var adapters: AdapterOptions
    @OptionGroup var proxies: ProxyOptions
    @Option(help: "A checkpoint to go on from.") var resume: String?

    func run() async throws {
        let settings = try server.settings(needing: ["modelsDirectory"])
        // What is no adapter the engine says better.
        let given = (try? adapters.sizes()) ?? [:]
        let drawn = try proxies.read()
        let written = try await JobFile(file, for: settings, amending: drawn.named(in:), adapters: { _ in given })
        let asked = written.spec
        let reused = try drawn.proxies(for: asked)
        guard asked.kind.needsEngine else {
            Terminal.note("atelierctl: a \(asked.kind.rawValue) is answered by the daemon; submit it instead")
            throw ExitStatus.badInput
        }
        try written.checkMemory(settings)
        if let fault = settings.engineFault {
            Terminal.note("atelierctl: \(printable(fault))")
            throw ExitStatus.configuration
        }
        try converting { try OutputPlace.folder(out) }
        // What a resumed run keeps lies there in part.
        if resume == nil { try written.checkRoom(in: out) }
        let folder = URL(fileURLWithPath: out).path
        let earlier = asked.kind == .personalize ? resume : nil
        if earlier == nil { try spareEarlierRun(in: folder, asked) }
        let seeded = seeded(asked)
        let (spec, images) = try writing(to: folder) { try pictures(of: seeded, in: folder) }
        let order = EngineOrder(
            job: UUID(), attempt: 1, spec: spec, tenant: "local", images: images,
            adapters: try adapters.paths(), proxies: reused, models: settings.modelsDirectory, workspace: folder,
            resume: resume.map { URL(fileURLWithPath: $0).path },
            checkpointSeconds: settings.checkpointSeconds)
        let process = try start(settings, in: folder)
        written.tellWarnings()
        try adapters.tellIdle(in: asked)
        drawn.tellIdle(in: asked)
        if resume != nil, earlier == nil {
            Terminal.note("warning: --resume: jobs of kind \(asked.kind.rawValue) have no checkpoints: it begins anew")
        }
        // An engine that is gone already says why by its exit.
        try? process.send(order.line)
        try await follow(process, of: asked, told: written.warnings, from: earlier)
    }

    private func start(_ settings: Settings, in folder: String) throws -> EngineProcess {
        let command = EngineCommand(
            executable: settings.engine, arguments: ["work"],
            environment: EngineCommand.environment(
                of: ProcessInfo.processInfo.environment, threads: settings.engineThreads, temporary: folder),
            directory: folder, log: Self.log(in: folder), niceness: settings.engineNice)
        do { return try EngineProcess(command) } catch {
            Terminal.note(
                """
                atelierctl: the engine cannot be started: \(printable(error.description)); give another --out, or the \
                engine's program as ATELIER_ENGINE
                """)
            throw ExitStatus.unavailable
        }
    }

    /// What an earlier run learnt may be hours of work: it is not written over. What it drew is, and that is said.
    private func spareEarlierRun(in folder: String, _ spec: JobSpec) throws {
        if case .personalize(let spec) = spec {
            let adapter = "\(folder)/\(spec.concept.name).safetensors"
            guard access(adapter, F_OK) != 0 else {
                Terminal.note(
                    "atelierctl: \(printable(adapter)) is there, which an earlier run learnt; give another --out, or "
                        + "move it away")
                throw ExitStatus.badInput
            }
        }
        if access(Self.log(in: folder), F_OK) == 0 {
            Terminal.note("files of an earlier run in \(printable(folder)) are written over where names are the same")
        }
    }

    private static func log(in folder: String) -> String { folder + "/engine.log" }

    /// The job with a seed where it has none: that of the checkpoint it goes on from, or one that is drawn, and told.
    private func seeded(_ spec: JobSpec) -> JobSpec {
        guard spec.seed == nil else { return spec }
        let earlier = resume.flatMap { try? Checkpoint.open($0).metadata["job.seed"] }.flatMap(Int.init)
        let seeded = earlier.map(spec.seeded) ?? spec.seeded(by: UUID())
        if let seed = seeded.seed, earlier == nil {
            Terminal.note("seed \(seed) was drawn; give it to have the same again")
        }
        return seeded
    }

    /// Writes the pictures into the folder's inputs, which it makes; gives the job as the daemon would have it, with
    /// their digests.
    private func pictures(of spec: JobSpec, in folder: String) throws -> (spec: JobSpec, paths: [String]) {
        try FileManager.default.createDirectory(atPath: folder + "/inputs", withIntermediateDirectories: true)
        let written = try spec.images.enumerated().map { index, image in
            guard case .data(let data) = image.content else {
                Terminal.note(
                    "atelierctl: /images/\(index): without servers there is no artifact store; give the picture as data"
                )
                throw ExitStatus.badInput
            }
            let path = "\(folder)/inputs/\(index + 1)"
            try data.write(to: URL(fileURLWithPath: path))
            let digest = SHA256Digest.of(data).description
            return (path: path, image: ImageSource(.artifact(digest), crop: image.crop))
        }
        return (spec.with(images: written.map(\.image)), written.map(\.path))
    }

    /// - Parameters:
    ///   - spec: the job.
    ///   - told: what was said of it before.
    ///   - earlier: the checkpoint that it goes on from.
    private func follow(
        _ process: EngineProcess, of spec: JobSpec, told: [String], from earlier: String?
    ) async throws {
        let signals = StopSignals { process.terminate() }
        defer { signals.cancel() }
        var last: EngineEvent?
        var checkpoint = earlier
        var checkpoints = CheckpointFiles()
        var progress = ProgressLines()
        var drawn = ProxyNotes(of: spec)
        for try await line in process.lines {
            process.handled()
            let event = try event(line, of: process)
            show(event, line, told: told, &progress)
            if case .checkpoint(let written) = event {
                checkpoint = written.path
                checkpoints.announce(written.path)
                checkpoints.write(written.path).forEach(CheckpointFiles.remove)
            }
            if case .artifact(let artifact) = event { list(artifact, &drawn) }
            last = event
        }
        let exit = await process.exit()
        try conclude(last, exit, of: process, checkpoint: checkpoint)
    }

    /// Leaves beside proxies what another run needs to know of them.
    private func list(_ artifact: EngineEvent.Artifact, _ drawn: inout ProxyNotes) {
        do {
            if let path = try drawn.take(artifact), !server.json { print(printable(path)) }
        } catch {
            Terminal.note("warning: no other run can learn from these proxies: " + printable(sentence(of: error)))
        }
    }

    /// An event of the engine's; an engine that says something else is ended.
    private func event(_ line: Data, of process: EngineProcess) throws -> EngineEvent {
        do { return try EngineEvent(line: line) } catch {
            process.kill()
            let said = printable(String(decoding: line.prefix(200), as: UTF8.self))
            Terminal.note(
                """
                atelierctl: the engine said what is no event: \(said); is ATELIER_ENGINE its program? atelierctl \
                doctor says which protocol it speaks
                """)
            throw ExitStatus.jobFailed
        }
    }

    /// Ends the program as the engine's last word wants it.
    private func conclude(
        _ last: EngineEvent?, _ exit: EngineExit, of process: EngineProcess, checkpoint: String?
    ) throws {
        switch last {
        case .done: return
        case .failed(let failed):
            tell(failed)
            throw failed.consequence == .rejected ? ExitStatus.badInput : ExitStatus.jobFailed
        case .interrupted:
            Terminal.note(
                "interrupted; "
                    + (checkpoint.map { "--resume \(printable($0)) goes on from there" }
                        ?? "there is no checkpoint, it begins anew"))
            throw ExitStatus.jobFailed
        default:
            Terminal.note(
                """
                atelierctl: the engine ended without a result: \
                \(exit.phrase)\n\(printable(String(process.log.tail.suffix(2000))))
                """
            )
            throw ExitStatus.jobFailed
        }
    }

    /// Says what was wrong with the job, and how this command is given what another job learnt.
    private func tell(_ failed: EngineEvent.Failed) {
        Terminal.note("\(failed.code): \(printable(failed.message))")
        for problem in failed.problems ?? [] { Terminal.note("  " + printable(problem.description)) }
        guard failed.code == "concept.unknown" else { return }
        Terminal.note(
            """
              --adapter NAME=FILE gives one: the .safetensors that the run which learnt it left; of several subjects \
            it is called like the first, and is given for each
            """)
    }

    private func show(_ event: EngineEvent, _ line: Data, told: [String], _ lines: inout ProgressLines) {
        if server.json { return print(String(decoding: line, as: UTF8.self)) }
        switch event {
        case .progress(let progress):
            if isatty(2) == 1 {
                Terminal.redraw(
                    Terminal.bar(
                        Double(progress.step) / Double(max(1, progress.steps)), stage: progress.stage,
                        step: progress.step, of: progress.steps))
            } else if let line = lines.line(of: progress) {
                Terminal.note(line)
            }
        case .artifact(let artifact): print(printable(artifact.path))
        case .done(let done):
            for warning in JobWarnings.further(in: done.result, told: told) {
                Terminal.note("warning: " + printable(warning))
            }
            ScoreTable(of: done.result).show()
            Terminal.note("done in \(done.seconds.formatted(.number.precision(.fractionLength(1)))) s")
        default: break
        }
    }
}
