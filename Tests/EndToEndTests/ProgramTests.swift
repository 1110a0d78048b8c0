import DaemonTesting
import FileTesting
import Foundation
import Hashing
import Images
import Jobs
import ServerTesting
import Testing

/// What the programs say of themselves, and what they are called among processes.
@Suite(.timeLimit(.minutes(15))) struct ProgramTests {
    /// With the shipped models.
    private static let environment = ["PATH": "/usr/bin:/bin", "ATELIER_MODELS": Servers.root + "/models"]

    @Test func theEngineTellsItsVersion() async throws {
        let run = try await ProgramRun(Stage.programs + "/atelier-engine", ["--version"], environment: [:])
        #expect(run.status == 0 && run.output == Release.version + "\n", "\(run)")
    }

    /// Held against the models of this host, as the daemon holds messages against its own.
    @Test(arguments: [
        (#"{"kind":"generate","model":"pocket-infinity","prompts":["a red dog"],"size":"512x768"}"#, "/size"),
        (#"{"kind":"generate","model":"pocket-giant","prompts":["a red dog"]}"#, "/model"),
        (#"{"kind":"evaluate","model":"pocket-infinity","subject":"rex","options":{"clip":"nope"}}"#, "/options/clip"),
    ])
    func whatThisHostsModelsCannotDoHasNoPrice(job: String, pointer: String) async throws {
        for command in [["estimate", "-"], ["run", "-", "--out", "/nowhere"]] {
            let run = try await ProgramRun(
                Stage.programs + "/atelierctl", command, environment: Self.environment,
                input: #"{"version":1,"# + job.dropFirst())
            #expect(run.status == 65 && run.errors.contains("  " + pointer), "\(command): \(run)")
        }
    }

    /// As the daemon's `accepted` does.
    @Test func whatAJobsSenderShouldKnowIsSaid() async throws {
        let folder = try TemporaryFolder()
        let job = #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a xyzzy dog"],"seed":1}"#
        for command in [["estimate", "-"], ["run", "-", "--out", folder.path + "/out"]] {
            let run = try await ProgramRun(
                Stage.programs + "/atelierctl", command, environment: Self.environment, input: job)
            let warning = "warning: /prompts/0: words that pocket-infinity never learnt: “xyzzy”\n"
            #expect(run.status == 0 && run.errors.contains(warning), "\(command): \(run)")
        }
    }

    /// Of several, a number alone does not tell which it is.
    @Test func aWarningOfAPictureNamesItsFile() async throws {
        let folder = try TemporaryFolder()
        try Picture(width: 40, height: 40, filledWith: (90, 60, 30)).writePNG(folder.path + "/small.png")
        let job = try folder.write(
            "job.json",
            #"{"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex"],"suite":"little-world","#
                + #""images":[{"file":"small.png"}]}"#)
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["estimate", job], environment: Self.environment)
        let warning = "warning: /images/0/file: \(folder.path)/small.png: a PNG of 40×40: its square"
        #expect(run.status == 0 && run.errors.contains(warning), "\(run)")
    }

    /// Whoever reads stdout has each line when it is made, not once the program ends.
    @Test func whatIsMadeIsToldAtOnce() async throws {
        let folder = try TemporaryFolder()
        let log = try folder.write("log", "")
        let job = try folder.write(
            "job.json", #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a red dog"],"seed":1}"#)
        let child = try ChildProgram(
            Stage.programs + "/atelierctl", ["run", job, "--out", folder.path + "/out"],
            environment: Self.environment, output: log, errors: log)
        #expect(try await child.ended(within: 600) == 0)
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(lines.first?.hasSuffix(".png") == true && lines.last?.hasPrefix("done in ") == true, "\(lines)")
    }

    /// In a file that somebody follows.
    @Test func aRunWithoutATerminalTellsItsProgress() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", "-", "--out", folder.path],
            environment: Self.environment,
            input: #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a dog"],"seed":1}"#)
        #expect(run.status == 0 && run.errors.contains("generate 1/1\n"), "\(run)")
    }

    /// As `kill` stops it, and a shutdown. Whoever runs it anew by mistake does not lose what was learnt.
    @Test func aStoppedRunGoesOnAndWhatItLearntIsNotWrittenOver() async throws {
        let folder = try TemporaryFolder()
        let job = try folder.write("job.json", String(decoding: TrainingJob.body(), as: UTF8.self))
        let command = ["run", job, "--out", folder.path + "/out", "--json"]
        let environment = TrainingJob.settings.merging(["PATH": "/usr/bin:/bin"]) { $1 }
        let log = try folder.write("log", "")
        let child = try ChildProgram(
            Stage.programs + "/atelierctl", command, environment: environment, output: log, errors: log)
        func said() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        try await child.until("a checkpoint", within: TrainingJob.patience) {
            said().contains(#""event":"checkpoint""#)
        }
        kill(child.identifier, SIGTERM)
        #expect(try await child.ended(within: 60) == 1)
        let checkpoint = said().firstMatch(of: /--resume (\S+) goes on/).map { String($0.1) }
        let adapter = folder.path + "/out/rex.safetensors"
        func run(_ more: String...) async throws -> ProgramRun {
            try await ProgramRun(Stage.programs + "/atelierctl", command + more, environment: environment)
        }
        let resumed = try await run("--resume", try #require(checkpoint, "\(said())"))
        #expect(resumed.status == 0, "\(resumed)")
        let again = try await run()
        #expect(again.status == 65 && again.errors.contains("\(adapter) is there"), "\(again)")
        #expect(try await SHA256Digest.ofFile(adapter).description == UndisturbedRun.shared.value.adapter)
    }

    /// A large model is read for minutes, and nothing is there to be saved meanwhile. Here the engine waits for its
    /// order, from a pipe whose end would stop it too.
    @Test func anEngineThatHasNothingToSaveStopsAtOnce() async throws {
        let folder = try TemporaryFolder()
        let (orders, events) = (folder.path + "/orders", folder.path + "/events")
        try #require(mkfifo(orders, 0o600) == 0)
        let input = open(orders, O_RDWR | O_CLOEXEC)
        defer { close(input) }
        let engine = try ChildProgram(
            TrainingJob.engine, ["work"], environment: ["PATH": "/usr/bin:/bin"], input: orders, output: events,
            errors: events)
        try await engine.until("it handles SIGTERM", within: 60) { handlesTermination(engine.identifier) }
        kill(engine.identifier, SIGTERM)
        #expect(try await engine.ended(within: 60) == 0)
        let said = try Data(contentsOf: URL(fileURLWithPath: events))
        #expect(try EngineEvent(line: said) == .interrupted(.init(step: 0)))
    }

    /// Nothing is said amid it or behind it. Here it is longer than the pipe it goes through, which nobody reads yet.
    @Test func anEngineSaysItsLastWordToTheEnd() async throws {
        let folder = try TemporaryFolder()
        let pipes = ["orders", "events"].map { "\(folder.path)/\($0)" }
        for pipe in pipes { try #require(mkfifo(pipe, 0o600) == 0) }
        let files = pipes.map { open($0, O_RDWR | O_CLOEXEC) }
        defer { for file in files { close(file) } }
        let setsCapacity: Int32 = 1031  // F_SETPIPE_SZ, which Swift does not know
        try #require(fcntl(files[1], setsCapacity, 4096) > 0)
        let order = EngineOrder(
            job: UUID(), attempt: 1,
            spec: try JobSpec(["version": 1, "kind": "generate", "model": "none", "prompts": ["a dog"]]), tenant: "t",
            images: [], adapters: [:], models: String(repeating: "/", count: 10_000), workspace: folder.path,
            resume: nil, checkpointSeconds: 60)
        try FileHandle(fileDescriptor: files[0]).write(contentsOf: order.line + Data([0x0A]))
        let engine = try ChildProgram(
            TrainingJob.engine, ["work"], environment: ["PATH": "/usr/bin:/bin"], input: pipes[0], output: pipes[1],
            errors: folder.path + "/errors")
        try await engine.until("the pipe is full", within: 60) { !isReady(files[1], for: POLLOUT) }
        kill(engine.identifier, SIGTERM)
        var said = Data()
        while said.last != 0x0A { said += FileHandle(fileDescriptor: files[1]).availableData }
        #expect(try await engine.ended(within: 60) == 0)
        let event = try EngineEvent(line: said)
        let code: String? = if case .failed(let failed) = event { failed.code } else { nil }
        #expect(code == "model.missing" && !isReady(files[1], for: POLLIN), "\(event)")
    }

    private func isReady(_ file: Int32, for events: Int32) -> Bool {
        var descriptor = pollfd(fd: file, events: Int16(events), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    private func handlesTermination(_ process: pid_t) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let caught = status.firstMatch(of: /SigCgt:\t(\w+)/).flatMap { UInt64($0.1, radix: 16) } ?? 0
        return caught & 1 << UInt64(SIGTERM - 1) != 0
    }

    @Test func anAdapterThatTheJobDoesNotUseIsTold() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", "-", "--adapter", "rex=rex.safetensors", "--out", folder.path],
            environment: Self.environment,
            input: #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a rex dog"],"seed":1}"#)
        let warning = "warning: --adapter rex: the job does not use it; prompts do by <rex>\n"
        #expect(run.errors.contains(warning), "\(run)")
    }

    /// Of two files under one name one would act without a word. All is told at once, before the job is read.
    @Test(arguments: ["run", "estimate"])
    func anAdapterHasANameOfItsOwn(_ command: String) async throws {
        let pairs = ["<rex>=a.safetensors", "rex=a.safetensors", "rex=b.safetensors"]
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", [command, "-"] + pairs.flatMap { ["--adapter", $0] },
            environment: Self.environment, input: "no job")
        let faults = """
            --adapter <rex>=a.safetensors: allowed is NAME=FILE, the name as in prompts: rex, or rex@2
            --adapter rex=b.safetensors: another file was given for rex before
            """
        #expect(run.status == 64 && run.errors.contains(faults), "\(run)")
    }

    /// As a job's `class`, in the same words.
    @Test(arguments: ["toy  dog", "dog ", "<dog>", ""])
    func anImportedConceptsNounStandsAmidPrompts(_ noun: String) async throws {
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl",
            ["concepts", "import", "none", "--model", "pocket-infinity", "--name", "rex", "--class", noun],
            environment: Self.environment)
        let fault = #"--class: found "\#(noun)"; allowed: \#(ConceptSpec.nounRule)"#
        #expect(run.status == 64 && run.errors.contains(fault), "\(run)")
    }

    @Test(arguments: ["sks\ndog", "<b>", String(repeating: "dog ", count: 300)])
    func aTriggerCanStandInAPrompt(_ trigger: String) async throws {
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl",
            ["concepts", "import", "none", "--model", "sdxl", "--name", "rex", "--trigger", trigger],
            environment: Self.environment)
        #expect(run.status == 64 && run.errors.contains("--trigger: found "), "\(run)")
        #expect(run.errors.contains("allowed: \(TriggerPhrase.rule)"), "\(run)")
    }

    /// As a shell's `<(…)` is one.
    @Test func aJobAndSettingsComeOutOfPipesToo() async throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(
            "job.json", #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a red dog"],"seed":1}"#)
        let run = try await ProgramRun(
            "/bin/bash",
            ["-c", #""$0" estimate <(cat "$1") --config <(echo {})"#, Stage.programs + "/atelierctl", job],
            environment: Self.environment)
        #expect(run.status == 0 && run.output.hasPrefix("about "), "\(run)")
    }

    /// On a full disk.
    @Test func whatTheLaboratoryCannotWriteIsNoSuccess() async throws {
        let folder = try TemporaryFolder()
        let errors = try folder.write("errors", "")
        let child = try ChildProgram(
            Stage.programs + "/atelier-lab", ["conform", folder.path + "/none"], environment: ["PATH": "/usr/bin:/bin"],
            output: "/dev/full", errors: errors)
        #expect(try await child.ended(within: 60) == 74)
        let said = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(said == "atelier-lab: stdout cannot be written: No space left on device\n")
    }

    @Test func ofAFullDiskTheLaboratorySaysTheFileAndWhatToDo() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/infinity_125M_256x256.pth"
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/dev/full")
        let run = try await ProgramRun(
            Stage.programs + "/atelier-lab", ["standin", "infinity-125m", folder.path],
            environment: ["PATH": "/usr/bin:/bin"])
        let said = "Error: \(file): No space left on device; make room on its disk and start again, "
        #expect(run.status == 1 && run.errors == said + "or give another place\n", "\(run)")
    }

    /// The shipped model is asked what a training is asked at every report.
    @Test func aFinishedModelTellsItsLossOnHeldOutCaptions() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelier-lab",
            [
                "pretrain", "transformer", "--model", "pocket-infinity", "--folder", folder.path, "--steps", "0",
                "--start", Servers.root + "/models/pocket-infinity",
            ], environment: ["PATH": "/usr/bin:/bin"])
        let loss = run.errors.firstMatch(of: /transformer: held-out ([\d.]+)\n/).flatMap { Float($0.1) }
        // Bits that are guessed cost 0.69 each.
        #expect(run.status == 0 && (0.1...0.6).contains(loss ?? 0), "\(run)")
        #expect(!run.errors.contains("starts fresh"), "\(run)")
    }

    @Test func aPlaceThatCannotBeWrittenIsNamed() async throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/none"
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl",
            ["concepts", "convert", "rex.safetensors", "--format", "diffusers", "--out", missing + "/x"],
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 65 && run.errors.contains("\(missing)/x cannot be written: there is no folder"), "\(run)")
        #expect(run.errors.contains("mkdir -p \(missing)"), "\(run)")
    }

    /// A concept's file, learnt by LoRA.
    private func concept(in folder: TemporaryFolder) throws -> String {
        let file = folder.path + "/rex.safetensors"
        let options: JSONValue = [
            "rank": 1, "alpha": 1, "targets": ["q"], "isRankStabilized": false,
            "concepts": [["name": "rex", "className": "dog", "word": "sks"]],
        ]
        let description: JSONValue = ["method": "lora", "options": .string(options.text)]
        let header: JSONValue = [
            "__metadata__": ["format": "atelier.adapter.v1", "description": .string(description.text)],
            "base_model.model.q.lora_A.weight": ["dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]],
            "base_model.model.q.lora_B.weight": ["dtype": "F32", "shape": [1, 1], "data_offsets": [4, 8]],
        ]
        try Data(HandmadeSafetensors(header.text, [UInt8](repeating: 1, count: 8)).bytes)
            .write(to: URL(fileURLWithPath: file))
        return file
    }

    /// No other program's form has a place for it.
    @Test func whatAConceptGoesByElsewhereIsSaid() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl",
            [
                "concepts", "convert", try concept(in: folder), "--format", "diffusers", "--out",
                folder.path + "/out.safetensors",
            ], environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 0 && run.errors.contains("in other programs prompts say sks for rex"), "\(run)")
    }

    /// Not even its own source, nor another adapter in PEFT's folder.
    @Test func aConversionTakesNobodysPlace() async throws {
        let folder = try TemporaryFolder()
        let file = try concept(in: folder)
        let before = FileManager.default.contents(atPath: file)
        func convert(_ format: String, _ out: String, _ more: String...) async throws -> ProgramRun {
            try await ProgramRun(
                Stage.programs + "/atelierctl",
                ["concepts", "convert", file, "--format", format, "--out", out] + more,
                environment: ["PATH": "/usr/bin:/bin"])
        }
        let refused = try await convert("kohya", file)
        #expect(refused.status == 65 && refused.errors.contains("is there already; give another --out, or --force"))
        #expect(FileManager.default.contents(atPath: file) == before)
        let other = folder.path + "/pf/text_encoder/adapter_model.safetensors"
        try FileManager.default.createDirectory(
            atPath: folder.path + "/pf/text_encoder", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: other))
        let left = try await convert("peft", folder.path + "/pf")
        #expect(left.status == 65 && left.errors.contains("\(other) is there already"), "\(left)")
        #expect(FileManager.default.fileExists(atPath: other))
        #expect(try await convert("peft", folder.path + "/pf", "--force").status == 0)
        #expect(!FileManager.default.fileExists(atPath: other))
        #expect(try await convert("kohya", file, "--force").status == 0)
        #expect(FileManager.default.contents(atPath: file) != before)
        withExtendedLifetime(folder) {}
    }

    @Test func everyProgramHasItsPage() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Servers.root + "/ops/manual", [folder.path, Stage.programs], environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 0 && run.lines.count == 4, "\(run)")
        let page = try String(contentsOfFile: folder.path + "/man1/atelierctl.1", encoding: .utf8)
        for word in [".TH ATELIERCTL 1", ".SS jobs list", ".SS rejections show", "\\-\\-dry\\-run", "Exit codes"] {
            #expect(page.contains(word), "\(word)")
        }
    }

    /// It starts itself again, with OpenBLAS's environment set: by the way it did, `top` said `exe`.
    @Test func theEngineIsCalledByItsName() async throws {
        let folder = try TemporaryFolder()
        let pipe = folder.path + "/stdin"
        try #require(mkfifo(pipe, 0o600) == 0)
        let held = open(pipe, O_RDWR)  // no order comes, and stdin does not end
        defer { close(held) }
        let log = folder.path + "/log"
        let engine = try ChildProgram(
            Stage.programs + "/atelier-engine", ["work"], environment: ["PATH": "/usr/bin"], input: pipe, output: log,
            errors: log)
        func read(_ name: String) -> String {
            (try? String(contentsOfFile: "/proc/\(engine.identifier)/\(name)", encoding: .utf8)) ?? ""
        }
        try await engine.until("it started itself again", within: 60) {
            read("environ").contains("ATELIER_ENGINE_PREPARED")
        }
        #expect(read("comm") == "atelier-engine\n")
        kill(engine.identifier, SIGKILL)
        _ = try engine.end(within: 10)
    }
}
