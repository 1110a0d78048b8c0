import DaemonTesting
import Foundation
import Testing

@testable import Daemon

@Suite struct SystemNotifierTests {
    @Test func datagramsReachTheNamedSocket() throws {
        let folder = try TemporaryFolder()
        let socket = try NotifySocket(path: folder.path + "/notify")
        let notifier = SystemNotifier(environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "3000000"])
        notifier.ready(status: "one\ntwo")
        #expect(socket.receive() == "READY=1\nSTATUS=one two\n")
        notifier.watchdog()
        #expect(socket.receive() == "WATCHDOG=1\n")
        notifier.extendTimeout(.seconds(7))
        #expect(socket.receive() == "EXTEND_TIMEOUT_USEC=7000000\n")
        notifier.stopping(status: "bye")
        #expect(socket.receive() == "STOPPING=1\nSTATUS=bye\n")
        #expect(notifier.watchdogInterval == .seconds(3))
    }

    @Test func aManagerThatDoesNotReadHoldsNobodyUp() throws {
        let folder = try TemporaryFolder()
        let socket = try NotifySocket(path: folder.path + "/notify")
        let notifier = SystemNotifier(environment: ["NOTIFY_SOCKET": socket.path])
        let start = ContinuousClock.now
        for number in 1...5000 {
            notifier.watchdog()
            notifier.status("running \(number) jobs")
        }
        notifier.reloading()
        notifier.ready(status: "ready at last")
        #expect(start.duration(to: .now) < .seconds(5), "a queue of a few datagrams is full long before that")

        // Once somebody reads, the last word of each kind comes, and no sign of life from long ago.
        var texts: [String] = []
        while !(texts.last?.contains("READY=1") ?? false), case let text = socket.receive(), !text.isEmpty {
            texts.append(text)
        }
        #expect(texts.last == "READY=1\nSTATUS=ready at last\n", "\(texts)")
        #expect(texts.count < 600, "\(texts.count) datagrams")
    }

    @Test func anotherProcessesWatchdogIsNotOurs() {
        #expect(SystemNotifier(environment: ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"]).watchdogInterval == nil)
        #expect(SystemNotifier(environment: [:]).watchdogInterval == nil)
        SystemNotifier(environment: [:]).ready(status: "nobody listens")
    }
}

/// What systemd holds: a datagram socket in the file system.
final class NotifySocket: Sendable {
    let path: String
    private let file: Int32

    init(path: String) throws {
        self.path = path
        file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemError("bind", path) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(file) }

    /// The next datagram; empty where none comes, within ten seconds if it is waited for.
    func receive(waiting: Bool = true) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(file, &buffer, buffer.count, waiting ? 0 : Int32(MSG_DONTWAIT))
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
