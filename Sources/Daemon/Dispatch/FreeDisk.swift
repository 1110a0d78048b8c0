import Foundation
import Jobs

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
    package init(of folder: String) {
        self.folder = folder
        var status = statvfs()
        mebibytes = statvfs(folder, &status) == 0 ? (Int(status.f_bavail) * Int(status.f_frsize)) >> 20 : 0
    }

    /// What is to be said of a job that keeps more in it at a time than is free, and what would fit; nil where there is
    /// room. `atelier.has_room` is the same in SQL.
    /// - Parameter place: what the folder is for, where that is to be said.
    package func shortage(for cost: JobCost, at place: String? = nil) -> String? {
        let needed = Self.mebibytes(of: cost.diskBytes)
        guard needed > mebibytes else { return nil }
        let fitting = (cost.alternatives ?? []).nearest(within: mebibytes << 20) { $0.diskBytes }
        let remedy = fitting.isEmpty ? "" : "; it would fit with \(fitting.phrase { $0.diskBytes })"
        let whose = place.map { " for \($0)" } ?? ""
        return "it keeps up to \(needed) MiB on the disk, where \(mebibytes) MiB are free\(whose)\(remedy)"
    }

    /// Rounded up.
    static func mebibytes(of bytes: Int) -> Int { Int((Double(bytes) / 1_048_576).rounded(.up)) }
}
