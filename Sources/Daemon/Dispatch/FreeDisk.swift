import Foundation

extension Settings {
    /// The room in the state folder and beside the artifacts, which may lie elsewhere; the less of the two.
    package var freeDisk: FreeDisk {
        let (state, artifacts) = (FreeDisk(of: stateDirectory), FreeDisk(of: artifactsDirectory))
        return artifacts.mebibytes < state.mebibytes ? artifacts : state
    }
}

/// What an unprivileged process may still write into a folder.
package struct FreeDisk: Sendable {
    /// The folder.
    package let folder: String
    /// Free mebibytes in its file system. None where that cannot be asked: what is not there has no room.
    package let mebibytes: Int

    /// Asks the file system of `folder`.
    init(of folder: String) {
        self.folder = folder
        var status = statvfs()
        mebibytes = statvfs(folder, &status) == 0 ? (Int(status.f_bavail) * Int(status.f_frsize)) >> 20 : 0
    }
}
