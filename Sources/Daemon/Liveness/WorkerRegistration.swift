import Foundation
import Synchronization

/// This daemon as the tables know it: an id for each registration; none while it must not claim.
package final class WorkerRegistration: Sendable {
    private let current = Mutex<UUID?>(nil)

    /// Not registered yet.
    package init() {}

    /// The id of the registration in effect.
    package var id: UUID? { current.withLock { $0 } }

    /// A registration took effect, or ended.
    func become(_ id: UUID?) { current.withLock { $0 = id } }
}
