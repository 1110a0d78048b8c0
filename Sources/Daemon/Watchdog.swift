import ServiceLifecycle

/// Tells systemd that the daemon is alive, as long as the cooperative pool runs its tasks: a deadlocked daemon falls silent.
package struct Watchdog: Service {
    private let notifier: SystemNotifier

    /// Answers as often as `notifier` is asked to.
    package init(notifier: SystemNotifier) { self.notifier = notifier }

    package func run() async throws {
        guard let interval = notifier.watchdogInterval else { return try await untilStopped() }
        // Until the very end, also through the drain: only cancellation ends it.
        while !Task.isCancelled {
            notifier.watchdog()
            try? await Task.sleep(for: interval / 3)
        }
    }

    private func untilStopped() async throws { try? await Task.sleep(for: .seconds(1 << 40)) }
}
