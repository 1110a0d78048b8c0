import DaemonTesting
import Foundation
import Testing

/// What systemd and the daemon say to each other, with a socket of the test's in systemd's place.
@Suite(.timeLimit(.minutes(4))) struct ServiceProtocolTests {
    /// Reads until a datagram holds `line`.
    private func receives(_ line: String, _ socket: NotifySocket) -> Bool {
        for _ in 0..<200 {
            let text = socket.receive()
            if text.isEmpty { return false }
            if text.split(separator: "\n").contains(where: { $0.hasPrefix(line) }) { return true }
        }
        return false
    }

    private func empty(_ socket: NotifySocket) { while !socket.receive(waiting: false).isEmpty {} }

    @Test func readinessWatchdogReloadAndStop() async throws {
        try await Stage.with(settings: [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_FREE_DISK_MIB": "0",
        ]) { stage in
            let socket = try NotifySocket(path: stage.folder.path + "/notify")
            let config = try stage.folder.write("atelier.json", #"{"trainingSlots": 1}"#)
            let daemon = try stage.start(["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "900000"], config: config)
            #expect(receives("READY=1", socket))
            #expect(receives("STATUS=running 0 jobs", socket))
            #expect(receives("WATCHDOG=1", socket) && receives("WATCHDOG=1", socket))

            try stage.folder.write(
                "atelier.json", #"{"trainingSlots": 2, "logLevel": "debug", "keepCompletedDays": 3}"#)
            kill(daemon, SIGHUP)
            #expect(receives("RELOADING=1", socket) && receives("READY=1", socket))
            #expect(stage.log.contains("settings read anew settings.next_start=trainingSlots"), "\(stage.log)")
            try stage.folder.write("atelier.json", #"{"trainingSlots": 65}"#)
            kill(daemon, SIGHUP)
            #expect(receives("RELOADING=1", socket) && receives("READY=1", socket))
            #expect(
                stage.log.contains("settings not read anew; the old ones hold") && stage.log.contains("trainingSlots"))

            // A daemon that hangs says nothing; systemd would start another one.
            kill(daemon, SIGSTOP)
            try await Task.sleep(for: .milliseconds(200))
            empty(socket)
            try await Task.sleep(for: .seconds(2))
            #expect(socket.receive(waiting: false) == "")
            kill(daemon, SIGCONT)
            #expect(receives("WATCHDOG=1", socket))

            try await stage.publish("steps=2000 delay=20", id: "long")
            _ = try await stage.job("long") { ($0["step"]?.integer ?? 0) > 0 }
            #expect(receives("STATUS=running 1 job", socket))
            #expect(
                stage.log.matches(of: /atelierd: [a-z ]+.* job\.attempt=1 job\.id=[0-9a-f-]{36} .*job\.tenant=[a-z]+/)
                    .count >= 2, "lines carry job, attempt and tenant: \(stage.log)")
            #expect(stage.stop(SIGTERM) == 0)
            #expect(receives("STOPPING=1", socket) && receives("EXTEND_TIMEOUT_USEC=", socket))
            _ = try await stage.job("long", reaches: .available)
        }
    }
}
