import Foundation

extension Settings {
    /// Mebibytes an unprivileged process may still write into the state folder and beside the artifacts, which may lie
    /// elsewhere; the less of the two. None where one cannot be asked: what is not there has no room.
    package var freeMebibytes: Int {
        [stateDirectory, artifactsDirectory].map { FreeDisk.mebibytes(at: $0) ?? 0 }.min() ?? 0
    }
}

private enum FreeDisk {
    /// Free mebibytes in the file system of `path`, or nil where it cannot be asked.
    static func mebibytes(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return (Int(status.f_bavail) * Int(status.f_frsize)) >> 20
    }
}
