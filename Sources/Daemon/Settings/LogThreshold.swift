import Logging
import Synchronization

/// The least severe level that is logged, by every logger of the program; a reload changes it for all.
package final class LogThreshold: Sendable {
    private let value: Mutex<Logger.Level>

    /// Begins at `level`.
    package init(_ level: Logger.Level) { value = Mutex(level) }

    /// The level now.
    package var level: Logger.Level {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
