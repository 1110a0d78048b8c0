import Synchronization

/// What jobs may take of this host, as it is set now: a reload changes it for who asks next.
final class HostLimits: Sendable {
    private let settings: Mutex<Settings>

    init(_ settings: Settings) { self.settings = Mutex(settings) }

    /// Mebibytes without which no work is started.
    var freeDiskMiB: Int { settings.withLock(\.freeDiskMiB) }
    /// The most that one engine may take.
    var engineMemoryBytes: Int { settings.withLock(\.engineMemoryBytes) }

    /// Other settings hold from now on.
    func adopt(_ settings: Settings) { self.settings.withLock { $0 = settings } }
}
