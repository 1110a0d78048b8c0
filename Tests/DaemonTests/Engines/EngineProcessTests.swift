import DaemonTesting
import Foundation
import Testing

@testable import Daemon

@Suite(.timeLimit(.minutes(10))) struct EngineProcessTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func start(_ script: String, environment: [String: String] = [:]) throws -> EngineProcess {
        try EngineProcess(
            EngineCommand(
                executable: "/bin/sh", arguments: ["-c", script],
                environment: environment.merging(["PATH": "/usr/bin:/bin"]) { a, _ in a },
                directory: folder.path, log: folder.path + "/stderr.log"))
    }

    private func lines(of process: EngineProcess) async throws -> [String] {
        var lines: [String] = []
        for try await line in process.lines {
            process.handled()
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return lines
    }

    @Test func aConfinedEngineReachesItsOwnFilesAlone() async throws {
        guard Confinement.isPossible else { return print("skipped: this kernel has no Landlock") }
        let own = folder.path + "/own"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let secret = try folder.write("secret", "the password")
        let picture = try folder.write("picture", "a picture")
        try #require(symlink(picture, own + "/input") == 0)
        let script = """
            read order; cat own/input; echo; echo made >own/file && cat own/file; cat \(secret); echo x >\(secret); ls .
            head -c 9 /proc/\(getpid())/mem; kill -0 \(getpid()) || echo no signals; echo end
            """
        let process = try EngineProcess(
            EngineCommand(
                executable: "/bin/sh", arguments: ["-c", script],
                environment: ["PATH": "/usr/bin:/bin"], directory: folder.path, log: folder.path + "/stderr.log",
                confinement: Confinement(
                    readable: ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/proc", picture, "/nowhere"],
                    writable: ["/dev/null", own])))
        try process.send(Data("go".utf8))
        #expect(try await lines(of: process) == ["a picture", "made", "no signals", "end"])
        _ = await process.exit()
        #expect(try String(contentsOfFile: secret, encoding: .utf8) == "the password")
        #expect(try String(contentsOfFile: picture, encoding: .utf8) == "a picture", "this process is not confined")
        let errors = try String(contentsOfFile: folder.path + "/stderr.log", encoding: .utf8)
        #expect(errors.matches(of: /[Pp]ermission denied/).count >= 4, "\(errors)")
    }

    @Test func anOrderGoesInAndLinesComeOut() async throws {
        let process = try start("read order; echo \"got $order\"; echo; echo second; echo oops >&2; exit 3")
        try process.send(Data("{\"a\":1}".utf8))
        #expect(try await lines(of: process) == ["got {\"a\":1}", "second"])
        let exit = await process.exit()
        #expect(exit.cause == .status(3))
        #expect(exit.peakMemoryBytes > 100_000)
        #expect(try String(contentsOfFile: folder.path + "/stderr.log", encoding: .utf8) == "oops\n")
    }

    /// More than the pipe holds, and the end right behind it.
    @Test func itsLastWordsAreInTheLogWhenItHasEnded() async throws {
        for _ in 0..<10 {
            let process = try start("head -c 200000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 3")
            _ = try await lines(of: process)
            _ = await process.exit()
            #expect(process.log.tail.hasSuffix("xlast\n"))
        }
    }

    @Test func itRunsInItsOwnGroupAtLowPriorityWithNothingInherited() async throws {
        let leak = open("/dev/null", O_RDONLY)  // not close-on-exec
        defer { close(leak) }
        signal(SIGUSR1, SIG_IGN)
        defer { signal(SIGUSR1, SIG_DFL) }
        // A thread of Dispatch blocks SIGTERM; an engine that inherits that cannot be asked to stop.
        var term = sigset_t()
        var before = sigset_t()
        sigemptyset(&term)
        sigaddset(&term, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &term, &before)
        let process = try start(
            """
            read order; cut -d' ' -f5,19,41 /proc/self/stat; ls -m /proc/$$/fd; grep SigIgn /proc/$$/status; env | \
            sort | tr '\\n' ' '; echo; while read key value; do [ $key != SigBlk: ] || echo $value; done \
            </proc/$$/status
            """,
            environment: ["ONLY": "this"])
        pthread_sigmask(SIG_SETMASK, &before, nil)
        try process.send(Data("go".utf8))
        let lines = try await lines(of: process)
        try #require(lines.count == 5)
        #expect(lines[0] == "\(process.pid) 19 3")  // group, nice, SCHED_BATCH
        #expect(lines[1] == "0, 1, 2")
        let ignored = try #require(UInt64(lines[2].split(separator: "\t")[1], radix: 16))
        #expect(ignored & (1 << UInt64(SIGUSR1 - 1)) == 0)
        #expect(!lines[3].contains("HOME=") && lines[3].contains("ONLY=this"))
        #expect(lines[4] == "0000000000000000", "signals are blocked")
    }

    /// It would crash in every job; one that was killed may have lacked memory.
    @Test(arguments: [("ILL", true), ("SEGV", true), ("KILL", false)])
    func aModelThatAnEngineCrashesOnIsNotWhole(signal: String, isFault: Bool) async throws {
        let engine = try folder.write("engine", "#!/bin/sh\nkill -\(signal) $$\n")
        try #require(chmod(engine, 0o755) == 0)
        var settings = Settings()
        (settings.engine, settings.stateDirectory) = (engine, folder.path)
        for place in [settings.inspectionDirectory, settings.logsDirectory] {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        }
        let report = await ModelCheck(of: folder.path, settings, environment: ["PATH": "/usr/bin:/bin"]).report()
        #expect(report.problems.count == (isFault ? 1 : 0) && (report.untried == nil) == isFault)
        #expect(report.problems.allSatisfy { $0.contains("crashed while it read the model (signal ") })
    }

    @Test func aKilledEngineTakesItsChildrenAlong() async throws {
        let process = try start("sleep 1000 & echo $!; wait")
        var child: pid_t = 0
        for try await line in process.lines {
            process.handled()
            child = try #require(pid_t(String(decoding: line, as: UTF8.self)))
            Glibc.kill(process.pid, SIGKILL)
        }
        let exit = await process.exit()
        #expect(exit.cause == .signal(9))
        #expect(exit.phrase == "signal 9 (SIGKILL)")
        // It was told; when it is gone is the kernel's.
        while isAlive(child) { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Whether the process runs: a zombie waiting for its new parent counts as ended.
    private func isAlive(_ pid: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !stat.contains(") Z ")
    }

    @Test func terminateIsAQuestionKillIsNot() async throws {
        let process = try start("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
        var said: [String] = []
        for try await line in process.lines {
            process.handled()
            said.append(String(decoding: line, as: UTF8.self))
            if said.count == 1 { process.terminate() }
        }
        #expect(said == ["ready", "asked"])
        #expect(await process.exit().cause == .status(0))
        process.kill()  // after the end: nobody is hit
    }

    @Test func aClosedInputEndsAnEngineThatWatchesIt() async throws {
        let process = try start("read order; cat >/dev/null; exit 7")
        try process.send(Data("order".utf8))
        process.closeInput()
        #expect(await process.exit().cause == .status(7))
        #expect(throws: SystemError.self) { try process.send(Data("late".utf8)) }
    }

    /// As an engine that a picture ended: the signal of its pipe would end a program that does not ignore it.
    @Test func anEngineThatDoesNotReadIsAnErrorAndNoSignal() async throws {
        let process = try start("exec <&-; echo deaf; sleep 1000")
        var lines = process.lines.makeAsyncIterator()
        let said = try await lines.next()
        #expect(said == Data("deaf".utf8))
        let error = #expect(throws: SystemError.self) { try process.send(Data("order".utf8)) }
        #expect(error?.code == EPIPE)
        process.kill()
        #expect(await process.exit().cause == .signal(9))
    }

    @Test func aLineWithoutEndKillsTheEngine() async throws {
        let process = try start("head -c 6000000 /dev/zero; sleep 1000")
        await #expect(throws: LineFramer.TooLong.self) { _ = try await lines(of: process) }
        #expect(await process.exit().cause == .signal(9))
    }

    @Test func aProgramThatIsNotThereIsAnError() throws {
        let error = try #require(throws: SystemError.self) {
            try EngineProcess(
                EngineCommand(
                    executable: "/nowhere/engine", arguments: [], environment: [:], directory: "/",
                    log: folder.path + "/l"))
        }
        #expect(error.description == "start /nowhere/engine: No such file or directory")
    }

    @Test func moreLinesThanAreReadAheadComeInOrder() async throws {
        let process = try start("i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done")
        #expect(try await lines(of: process) == (0..<5000).map(String.init))
    }

    @Test func theLogKeepsItsTailAndStopsGrowing() async throws {
        let process = try start(
            "head -c 20000000 /dev/zero | tr '\\0' 'x' >&2; echo the end >&2; head -c 3 /dev/zero >&2")
        _ = try await lines(of: process)
        _ = await process.exit()
        // stderr has a thread of its own; its end is the pipe's, a moment later
        for _ in 0..<2000 where !process.log.tail.hasSuffix("\u{FFFD}\u{FFFD}\u{FFFD}") {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(process.log.tail.contains("the end"))
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: folder.path + "/stderr.log")[.size] as? Int)
        #expect(size <= EngineLog.fileLimit)
    }

    @Test func theEnvironmentOfAnEngineHoldsNoSecret() {
        let environment = EngineCommand.environment(
            of: ["PATH": "/bin", "ATELIER_AMQP_URL": "amqp://secret", "CREDENTIALS_DIRECTORY": "/run/c"], threads: 2,
            temporary: "/w", core: "SkylakeX")
        #expect(
            environment == [
                "PATH": "/bin", "TMPDIR": "/w", "HOME": "/w", "OPENBLAS_NUM_THREADS": "1",
                "OPENBLAS_CORETYPE": "SkylakeX", "ATELIER_THREADS": "2",
            ])
        #expect(ProcessorKind.openBLASCore(cpuinfo: "flags\t\t: fpu avx2\n") == nil)
        #expect(
            ProcessorKind.openBLASCore(cpuinfo: "flags\t\t: fpu avx512f avx512dq avx512bw avx512vl avx512cd avx2\n")
                == "SkylakeX")
    }
}
