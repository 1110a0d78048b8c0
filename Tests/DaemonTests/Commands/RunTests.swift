import DaemonTesting
import Foundation
import Hashing
import Jobs
import ServerTesting
import Testing

/// `atelierctl run`, with an engine that does what its prompt says.
@Suite(.timeLimit(.minutes(15))) struct RunTests {
    private static let environment = [
        "PATH": "/usr/bin:/bin", "ATELIER_MODELS": Servers.root + "/models",
        "ATELIER_ENGINE": Stage.programs + "/scripted-engine",
    ]

    /// As a lost connection ends what ran in it, nohup's apart.
    @Test(
        arguments: [("--default-signal=HUP", 1, "interrupted; "), ("--ignore-signal=HUP", 0, "done in ")]
            as [(String, Int32, String)])
    func aTerminalThatIsGoneLeavesACheckpoint(habit: String, status: Int32, said: String) async throws {
        let folder = try TemporaryFolder()
        let job = try folder.write("job.json", String(decoding: Script.body("steps=100 delay=10"), as: UTF8.self))
        let log = try folder.write("log", "")
        let run = try ChildProgram(
            "/usr/bin/env", [habit, Stage.programs + "/atelierctl", "run", job, "--out", folder.path + "/out"],
            environment: Self.environment, output: log, errors: log)
        func told() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        try await run.until("its first step", within: 600) { told().contains("steps 1/100") }
        kill(run.identifier, SIGHUP)
        #expect(try await run.ended(within: 600) == status, "\(told())")
        #expect(told().contains(said), "\(told())")
    }

    /// Of a line that wraps only the last part is overwritten: each step would leave the rest.
    @Test func whatIsDrawnOnATerminalKeepsToItsLine() async throws {
        let folder = try TemporaryFolder()
        let job = try folder.write("job.json", String(decoding: Script.body("steps=3 fail=fatal"), as: UTF8.self))
        let command = "\(Stage.programs)/atelierctl run \(job) --out \(folder.path)/out"
        let run = try await ProgramRun(
            "/usr/bin/script", ["-qec", command, "/dev/null"], environment: Self.environment)
        #expect(run.status == 1, "\(run)")
        let drawn = run.output.components(separatedBy: "\u{1B}[2K").filter { $0.contains("steps 3/3") }
        #expect(!drawn.isEmpty, "\(run)")
        #expect(drawn.allSatisfy { $0.contains(/^\u{1B}\[\?7l.*steps 3\/3\u{1B}\[\?7h/) }, "\(drawn)")
        #expect(run.output.contains("\u{1B}[2Kengine.scripted: as the script says"), "\(run)")
    }

    private func run(
        _ folder: TemporaryFolder, engine: String = Stage.programs + "/scripted-engine"
    ) async throws -> ProgramRun {
        try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", "-", "--out", folder.path + "/out"],
            environment: Self.environment.merging(["ATELIER_ENGINE": engine]) { $1 },
            input: String(decoding: Script.body("steps=1"), as: UTF8.self))
    }

    @Test func anEngineThatIsNotThereIsSaidAndNothingIsMade() async throws {
        let folder = try TemporaryFolder()
        let run = try await run(folder, engine: "/nowhere/engine")
        let fault = "the engine /nowhere/engine cannot be executed: No such file or directory; ATELIER_ENGINE"
        #expect(run.status == 78 && run.errors.hasPrefix("atelierctl: " + fault), "\(run)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
    }

    @Test func aProgramThatIsNoEngineIsSaid() async throws {
        let run = try await run(TemporaryFolder(), engine: "/bin/echo")
        #expect(run.status == 1 && run.errors.contains("the engine said what is no event: work; is ATELIER_"), "\(run)")
    }

    /// A file in a folder's place, or a folder in a file's, stands for all that the file system refuses.
    @Test(
        arguments: [
            ("out/inputs", 74, "OUT cannot be written: OUT/inputs: File exists; make room there, or give another"),
            ("out/engine.log/x", 69, "the engine cannot be started: open OUT/engine.log: Is a directory; give another"),
        ] as [(String, Int32, String)])
    func whatCannotBeWrittenIsSaid(file: String, status: Int32, said: String) async throws {
        let folder = try TemporaryFolder()
        let around = URL(fileURLWithPath: "\(folder.path)/\(file)").deletingLastPathComponent()
        try FileManager.default.createDirectory(at: around, withIntermediateDirectories: true)
        try folder.write(file, "")
        let run = try await run(folder)
        #expect(
            run.status == status && run.errors.contains(said.replacing("OUT", with: folder.path + "/out")), "\(run)")
    }

    /// An engine would find it out after hours, at a checkpoint. What is gone on from lies there in part.
    @Test func whatTheDiskHasNoRoomForIsNotBegun() async throws {
        let folder = try TemporaryFolder()
        let out = folder.path + "/new/out"
        let script = String(decoding: Script.body("steps=1 inspect-cost=3 inspect-disk=1000000000"), as: UTF8.self)
        func control(_ arguments: String...) async throws -> ProgramRun {
            try await ProgramRun(
                Stage.programs + "/atelierctl", arguments, environment: Self.environment, input: script)
        }
        let run = try await control("run", "-", "--out", out)
        let shortage = "it keeps up to 1000000000 MiB on the disk, where "
        #expect(run.status == 74 && run.errors.contains("\(out) has no room for the job: \(shortage)"), "\(run)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
        let resumed = try await control("run", "-", "--out", out, "--resume", folder.path + "/checkpoint")
        #expect(!resumed.errors.contains(shortage), "\(resumed)")
        let estimate = try await control("estimate", "-")
        #expect(estimate.status == 0 && estimate.output.contains("disk 1000000000 MiB"), "\(estimate)")
        #expect(estimate.errors.contains("warning: it does not fit: \(shortage)"), "\(estimate)")
        let figures = try await control("estimate", "-", "--json", "--out", out)
        #expect(figures.output.contains("\"fits\":false"), "\(figures)")
    }

    @Test func anEnginesFolderThatCannotBeMadeIsSaid() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("file", "")
        let verify = try await ProgramRun(
            Stage.programs + "/atelierctl", ["models", "verify", "pocket-dino"],
            environment: Self.environment.merging(["TMPDIR": file]) { $1 })
        #expect(verify.status == 1 && verify.errors.contains(" and \(file)/atelier-"), "\(verify)")
        #expect(verify.errors.contains(" cannot be made: ") && verify.errors.contains("set TMPDIR"), "\(verify)")
    }

    /// Before the work, for whoever meant to spare it.
    @Test func itIsSaidThatAJobWithoutCheckpointsBeginsAnew() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl",
            ["run", "-", "--out", folder.path + "/out", "--resume", folder.path + "/checkpoint.safetensors"],
            environment: Self.environment, input: String(decoding: Script.body("fail=fatal"), as: UTF8.self))
        #expect(run.errors.contains("warning: --resume: jobs of kind generate have no checkpoints"), "\(run)")
    }

    /// A run that learns a subject on a student, as the scripted engine does.
    private func learn(_ body: JSONValue, _ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", "-", "--json"] + arguments, environment: Self.environment,
            input: String(decoding: body.line, as: UTF8.self))
    }

    /// What an engine was given, by the events of its run.
    private func given(_ run: ProgramRun) throws -> JSONValue? {
        let last = try #require(run.lines.last, "\(run)")
        return try JSONValue(json: Data(last.utf8))["result"]?["given"]
    }

    @Test func proxiesOfARunAreLearntFromOnAnotherStudent() async throws {
        let folder = try TemporaryFolder()
        let drawing = try JSONValue(
            json: Script.personalization(
                "rex", method: "proxy-tuning", model: "pocket-llamagen", seed: 1, script: "steps=1 proxies fail=fatal"))
        // Its student failed: what was drawn is there all the same.
        #expect(try await learn(drawing, "--out", folder.path + "/drawn").status == 1)
        let source = "rex=\(folder.path)/drawn"
        func job(_ noun: String, listed name: String? = nil) -> JSONValue {
            let concept: JSONValue = [
                "name": .string(name ?? "rex"), "role": "subject", "class": .string(noun),
            ]
            return .object([
                "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": "pocket-chameleon", "seed": 1,
                name == nil ? "concept" : "concepts": name == nil ? concept : .array([concept]), "prompts": ["steps=1"],
            ])
        }
        let again = try await learn(job("dog"), "--proxies", source, "--out", folder.path + "/a")
        #expect(again.status == 0, "\(again)")
        #expect(try given(again) == ["rex": ["a <rex> dog", "a <rex> dog"]], "\(again)")
        // In a list, under another name.
        let other = try await learn(
            job("dog", listed: "max"), "--proxies", "max=\(folder.path)/drawn", "--out", folder.path + "/b")
        #expect(try other.status == 0 && given(other) == ["max": ["a <rex> dog", "a <rex> dog"]], "\(other)")

        let idle = try await learn(
            job("dog"), "--proxies", source, "--proxies", "mia=\(folder.path)/drawn", "--out", folder.path + "/c")
        #expect(idle.errors.contains("warning: --proxies mia: the job does not learn a mia"), "\(idle)")
        let owl = try await learn(job("owl"), "--proxies", source)
        let ofDog = "are proxies of a dog; allowed are proxies of an owl"
        #expect(owl.status == 64 && owl.errors.contains(ofDog), "\(owl)")
        // Its noun is the beginning of another's.
        let rose = drawing.adding("concept", ["name": "rex", "role": "subject", "class": "dog rose"])
        #expect(try await learn(rose, "--out", folder.path + "/rose").status == 1)
        let dog = try await learn(job("dog"), "--proxies", "rex=\(folder.path)/rose")
        #expect(
            dog.status == 64 && dog.errors.contains("are proxies of a dog rose; allowed are proxies of a dog"),
            "\(dog)")
        let none = try await learn(job("dog"), "--proxies", "rex=\(folder.path)")
        #expect(none.status == 64 && none.errors.contains("is no proxies-rex.json"), "\(none)")
        try folder.write("drawn/proxy-rex-0002.png", "another")
        let changed = try await learn(job("dog"), "--proxies", source)
        let said = "proxy-rex-0002.png is not the picture that proxies-rex.json lists"
        #expect(changed.status == 64 && changed.errors.contains(said), "\(changed)")
        let unnamed = try await learn(job("dog"), "--proxies", "Rex=x")
        #expect(unnamed.status == 64 && unnamed.errors.contains("--proxies Rex=x: allowed is NAME=DIR"), "\(unnamed)")
    }

    /// Without them, or pictures to draw them from, it is no job.
    @Test func anEstimateIsOfWhatARunWithTheSameProxiesDoes() async throws {
        let folder = try TemporaryFolder()
        try folder.write("proxy.png", "a picture")
        let digest = SHA256Digest.of(Data("a picture".utf8)).description
        try folder.write(
            "proxies-rex.json", #"{"proxies":[{"name":"proxy.png","prompt":"a <rex> dog","sha256":"\#(digest)"}]}"#)
        func estimate(_ noun: String, _ subjects: String...) async throws -> ProgramRun {
            let job: JSONValue = [
                "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": "pocket-chameleon",
                "concept": ["name": "rex", "role": "subject", "class": .string(noun)], "prompts": ["inspect-cost=3"],
            ]
            return try await ProgramRun(
                Stage.programs + "/atelierctl",
                ["estimate", "-"] + subjects.flatMap { ["--proxies", "\($0)=\(folder.path)"] },
                environment: Self.environment, input: job.text)
        }
        let told = try await estimate("dog", "rex", "mia")
        #expect(told.status == 0 && told.output.contains("memory 4 MiB"), "\(told)")
        #expect(told.errors.contains("warning: --proxies mia: the job does not learn a mia"), "\(told)")
        #expect(try await estimate("dog").status == 65)
        let owl = try await estimate("owl", "rex")
        #expect(owl.status == 64 && owl.errors.contains("is “a <rex> dog”; allowed are proxies of an owl"), "\(owl)")
    }

    /// They are all that an evaluation is for.
    @Test func whatWasMeasuredIsShown() async throws {
        let folder = try TemporaryFolder()
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["run", "-", "--out", folder.path + "/out"],
            environment: Self.environment, input: String(decoding: Script.body("warn"), as: UTF8.self))
        #expect(run.status == 0 && run.errors.contains("warning: DIV of \\x1b[2J fell\n"), "\(run)")
        #expect(run.output.contains("rex      arbooth         8  dino.scripted  0.750  ± 0.125"), "\(run)")
    }
}
