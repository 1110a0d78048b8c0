import Foundation

/// How much an unprivileged process may still write.
package enum FreeDisk {
    /// Free mebibytes in the file system of `path`, or nil where it cannot be asked.
    package static func mebibytes(at path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return (Int(status.f_bavail) * Int(status.f_frsize)) >> 20
    }
}
