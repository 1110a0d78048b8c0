import ServiceLifecycle

/// Tells systemd that the daemon is alive, as long as the cooperative pool runs its tasks: a deadlocked daemon falls
/// silent.
package struct Watchdog: Service {
    private let notifier: SystemNotifier

    /// Answers as often as `notifier` is asked to.
    package init(notifier: SystemNotifier) { self.notifier = notifier }

    /// The first service to start is the last to stop, so it beats through the whole drain.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if notifier.watchdogInterval != nil { notifier.watchdog() }
                try? await Task.sleep(for: notifier.watchdogInterval.map { $0 / 3 } ?? .seconds(3600))
            }
        }
    }
}
