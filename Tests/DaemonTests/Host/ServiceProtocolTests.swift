import DaemonTesting
import Foundation
import Synchronization
import Testing

/// What systemd and the daemon say to each other, with a socket of the test's in systemd's place.
@Suite(.timeLimit(.minutes(15))) struct ServiceProtocolTests {
    @Test func readinessWatchdogReloadAndStop() async throws {
        try await Stage.with(settings: [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0",
        ]) { stage in
            let socket = try NotifySocket(path: stage.folder.path + "/notify")
            let config = try stage.folder.write("atelier.json", #"{"trainingSlots": 1}"#)
            let manager = ServiceManager(socket)
            defer { manager.end() }
            func receives(_ line: String) async throws {
                try await stage.until("the daemon says \(line)") { manager.hasNext(line) }
            }
            let daemon = try stage.start(["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "900000"], config: config)
            for line in ["READY=1", "STATUS=running 0 jobs", "WATCHDOG=1", "WATCHDOG=1"] { try await receives(line) }

            try stage.folder.write(
                "atelier.json", #"{"trainingSlots": 2, "logLevel": "debug", "keepCompletedDays": 3}"#)
            kill(daemon, SIGHUP)
            for line in ["RELOADING=1", "READY=1"] { try await receives(line) }
            #expect(stage.log.contains("settings read anew settings.next_start=trainingSlots"), "\(stage.log)")
            try stage.folder.write("atelier.json", #"{"trainingSlots": 65}"#)
            kill(daemon, SIGHUP)
            for line in ["RELOADING=1", "READY=1"] { try await receives(line) }
            #expect(
                stage.log.contains("settings not read anew; the old ones hold") && stage.log.contains("trainingSlots"))

            // A daemon that hangs says nothing; systemd would start another one.
            kill(daemon, SIGSTOP)
            try await Task.sleep(for: .milliseconds(200))
            let before = manager.count
            try await Task.sleep(for: .seconds(2))
            #expect(manager.count == before)
            kill(daemon, SIGCONT)
            try await receives("WATCHDOG=1")

            try await stage.publish("steps=2000 delay=20", id: "long")
            _ = try await stage.job("long") { ($0["step"]?.integer ?? 0) > 0 }
            try await receives("STATUS=running 1 job")
            #expect(
                stage.log.matches(of: /atelierd: [a-z ]+.* job\.attempt=1 job\.id=[0-9a-f-]{36} .*job\.tenant=[a-z]+/)
                    .count >= 2, "lines carry job, attempt and tenant: \(stage.log)")
            #expect(await stage.stop(SIGTERM) == 0)
            for line in ["STOPPING=1", "EXTEND_TIMEOUT_USEC="] { try await receives(line) }
            _ = try await stage.job("long", reaches: .available)
        }
    }
}

/// Reads what a daemon notifies as it comes, as systemd does: the socket's queue holds ten datagrams, and what finds it
/// full comes later in one with others, or never.
private final class ServiceManager: Sendable {
    private struct State {
        var lines: [String] = []
        /// Lines before it were looked for already.
        var next = 0
        var isDone = false
    }

    private let state = Mutex(State())

    init(_ socket: NotifySocket) {
        let thread = Thread { [self] in
            while !state.withLock(\.isDone) {
                let lines = socket.receive().split(separator: "\n").map(String.init)
                state.withLock { $0.lines += lines }
            }
        }
        thread.start()
    }

    /// No more is read.
    func end() { state.withLock { $0.isDone = true } }

    /// Lines so far.
    var count: Int { state.withLock(\.lines.count) }

    /// Whether a line behind the last one found begins so.
    func hasNext(_ beginning: String) -> Bool {
        state.withLock { state in
            guard let found = state.lines[state.next...].firstIndex(where: { $0.hasPrefix(beginning) }) else {
                return false
            }
            state.next = found + 1
            return true
        }
    }
}
