/// Why a daemon starts no new work though nobody paused it.
package enum HostFault: String, Sendable, CaseIterable {
    /// A disk has less room than `freeDiskMiB`.
    case disk
    /// The folder of artifacts does not answer, or another lies at its path.
    case folder
    /// An attempt could not be run here: it rests for a while.
    case attempt

    /// For people.
    package var words: String {
        switch self {
        case .disk: "disk full"
        case .folder: "no folder"
        case .attempt: "at fault"
        }
    }
}
