import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Testing

/// What atelierctl says of itself.
@Suite(.timeLimit(.minutes(4))) struct HelpTests {
    private func run(_ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(Stage.programs + "/atelierctl", arguments, environment: ["PATH": "/usr/bin:/bin"])
    }

    @Test func everyExitCodeIsDocumented() async throws {
        let help = try await run("--help")
        #expect(help.status == 0)
        let words = help.output.split { $0.isWhitespace }.joined(separator: " ")  // lines break anywhere
        for code in [
            "0 done", "1 the job", "2 doctor", "64 wrong", "65 unacceptable", "66 not found", "69 a server",
            "75 not confirmed", "78 wrong",
        ] {
            #expect(words.contains(code), "\(code) in \(words)")
        }
        #expect(try await run("jobs", "explode").status == 64)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func shellsCanCompleteIt(_ shell: String) async throws {
        let script = try await run("--generate-completion-script", shell)
        #expect(script.status == 0)
        for command in [
            "submit", "jobs", "rejections", "concepts", "artifacts", "dead", "workers", "pause", "resume", "migrate",
            "doctor",
            "probe", "models", "schema", "run", "estimate",
        ] {
            #expect(script.output.contains(command), "\(command)")
        }
    }

    @Test(arguments: ["atelierctl", "atelierd"]) func theVersionIsTold(_ program: String) async throws {
        let run = try await ProgramRun(
            "\(Stage.programs)/\(program)", ["--version"], environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 0 && run.output == Release.version + "\n", "\(run)")
    }
}
