import Glibc
import Synchronization

/// Ends a library call that lasts too long by shutting its socket down: librabbitmq 0.11 has calls that wait without a
/// limit.
///
/// One thread for the whole process looks at every registered socket.
final class CallWatchdog: Sendable {
    static let shared = CallWatchdog()

    /// The deadline of the call that runs now on one socket; none while no call runs.
    final class Guard: Sendable {
        fileprivate let descriptor: Int32
        fileprivate let limit: Duration
        fileprivate let deadline = Mutex<ContinuousClock.Instant?>(nil)

        fileprivate init(_ descriptor: Int32, _ limit: Duration) { (self.descriptor, self.limit) = (descriptor, limit) }

        /// Runs `call`, which the watchdog ends after the limit.
        func watching<Result>(_ call: () -> Result) -> Result {
            deadline.withLock { $0 = .now + limit }
            defer { deadline.withLock { $0 = nil } }
            return call()
        }

        fileprivate func endIfOverdue() {
            deadline.withLock { deadline in
                guard let limit = deadline, limit < .now else { return }
                shutdown(descriptor, Int32(SHUT_RDWR))
                deadline = nil
            }
        }
    }

    private let guards = Mutex<[ObjectIdentifier: Guard]>([:])

    private init() {
        startPinnedThread(named: "amqp-watchdog") { [self] in
            while true {
                usleep(250_000)
                for one in guards.withLock({ Array($0.values) }) { one.endIfOverdue() }
            }
        }
    }

    /// Watches calls on this socket from now on.
    func register(_ descriptor: Int32, limit: Duration) -> Guard {
        let one = Guard(descriptor, limit)
        guards.withLock { $0[ObjectIdentifier(one)] = one }
        return one
    }

    /// The socket is about to be closed; its number may go to a stranger.
    func forget(_ one: Guard) {
        guards.withLock { $0[ObjectIdentifier(one)] = nil }
        one.deadline.withLock { $0 = nil }
    }
}
