import ServiceLifecycle

/// A service that does one thing again and again until it is asked to stop.
struct TimedService: Service {
    private let interval: Duration
    private let action: @Sendable () async -> Void

    /// Runs `action`, waits `interval`, and so on.
    init(every interval: Duration, _ action: @escaping @Sendable () async -> Void) {
        self.interval = interval
        self.action = action
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await action()
                try? await Task.sleep(for: interval)
            }
        }
    }
}
