import DaemonTesting
import Foundation
import ServerTesting
import Testing

/// The units as systemd's own tools read them.
@Suite struct SystemdUnitTests {
    static let analyzer = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let folder = Servers.root + "/systemd"
    private let units = ["atelierd.service", "atelier-maintenance.service", "atelier-web.service"]

    private func analyze(_ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(
            try #require(Self.analyzer), arguments, environment: ["PATH": "/usr/bin:/bin", "SYSTEMD_COLORS": "0"])
    }

    @Test(.enabled(if: analyzer != nil, "systemd-analyze is not installed: the units' exposure is not measured"))
    func exposureIsAtMostOneAndAHalf() async throws {
        for unit in units {
            let run = try await analyze(
                "security", "--offline=true", "--no-pager", "--threshold=15", "\(Self.folder)/\(unit)")
            #expect(
                run.status == 0 && run.output.contains("Overall exposure level for \(unit): "),
                "\(run.output.suffix(200))\(run.errors)")
        }
    }

    @Test(.enabled(if: analyzer != nil, "systemd-analyze is not installed: the units are not verified"))
    func everyLineIsUnderstood() async throws {
        let copies = try TemporaryFolder()
        for name in units + ["atelier-maintenance.timer"] {
            let text = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
            // Verified where it need not be installed.
            try copies.write(name, text.replacing("/usr/bin/atelier", with: Stage.programs + "/atelier"))
        }
        let run = try await analyze(
            "verify", "--man=no", "--recursive-errors=no", copies.path + "/atelierd.service",
            copies.path + "/atelier-maintenance.timer", copies.path + "/atelier-maintenance.service",
            copies.path + "/atelier-web.service")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
    }

    @Test(
        .enabled(
            if: analyzer != nil && geteuid() == 0, "needs systemd-sysusers and root: users and folders are not made"))
    func usersAndFoldersAreMade() async throws {
        let root = try TemporaryFolder()
        for folder in ["etc", "var/lib"] {
            try FileManager.default.createDirectory(atPath: "\(root.path)/\(folder)", withIntermediateDirectories: true)
        }
        for (program, file) in [
            ("/usr/bin/systemd-sysusers", "sysusers.d"), ("/usr/bin/systemd-tmpfiles", "tmpfiles.d"),
        ] {
            let create = file == "tmpfiles.d" ? ["--create"] : []
            let run = try await ProgramRun(
                program, ["--root=\(root.path)"] + create + ["\(Self.folder)/\(file)/atelier.conf"],
                environment: ["PATH": "/usr/bin:/bin"])
            #expect(run.status == 0, "\(run)")
        }
        let entry = try #require(
            try String(contentsOfFile: root.path + "/etc/passwd", encoding: .utf8).split(separator: "\n").first {
                $0.hasPrefix("atelier:")
            }
        ).split(separator: ":")
        for (path, mode, owner) in [("/var/lib/atelier", UInt32(0o700), entry[2]), ("/etc/atelier", 0o750, "0")] {
            var status = stat()
            #expect(
                stat(root.path + path, &status) == 0 && status.st_mode & 0o7777 == mode
                    && String(status.st_uid) == owner, "\(path)")
        }
    }

    @Test func theUnitStatesWhatTheDaemonKeeps() throws {
        let lines = try String(contentsOfFile: Self.folder + "/atelierd.service", encoding: .utf8).split(
            separator: "\n")
        for line in [
            "Type=notify", "WatchdogSec=30", "LoadCredential=amqp-url:/etc/atelier/amqp-url", "StateDirectory=atelier",
            "RestartPreventExitStatus=78", "ExecReload=/bin/kill -HUP $MAINPID", "WatchdogSignal=SIGKILL",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }
}

/// The units under a real systemd, in a container of its own.
@Suite(
    .enabled(
        if: geteuid() == 0 && SystemdUnitTests.analyzer != nil,
        "needs root and systemd: the units are not put to the proof"), .timeLimit(.minutes(15)))
struct SystemdTrialTests {
    @Test func theServiceLivesUnderARealSystemd() async throws {
        let servers = try await Servers.running()
        let run = try await ProgramRun(
            Servers.root + "/ops/systemd-trial", [Stage.programs] + (servers.directory.map { [$0] } ?? []),
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], within: 400)
        if run.status == 77 { return print("no container can be made here: \(run.errors)") }
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        let seen = run.lines.map { $0.split(separator: " ")[1] }
        #expect(
            seen == [
                "users", "schema", "readiness", "credentials", "reload", "watchdog", "memory", "drain", "settings",
                "maintenance",
            ])
    }
}
