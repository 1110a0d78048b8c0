import DaemonTesting
import Foundation
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
