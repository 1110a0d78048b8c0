import Foundation

/// Exactly one daemon for each state folder: whoever holds the lock may treat the jobs of its predecessor in this
/// folder as free.
package final class StateLock: Sendable {
    private let file: Int32
    /// The folder's own id, written into the lock when it was made: hosts cloned from one image share a machine id and
    /// a path, not this.
    package let folder: UUID

    /// Takes the lock of `directory`, or throws: EWOULDBLOCK when another daemon holds it.
    package init(directory: String) throws(SystemError) {
        let path = directory + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("open", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(file)
            throw code == EWOULDBLOCK
                ? SystemError("another atelierd works in \(directory); lock", path, code: code)
                : SystemError("lock", path, code: code)
        }
        self.file = file
        var bytes = [UInt8](repeating: 0, count: 36)
        let text = pread(file, &bytes, bytes.count, 0) == bytes.count ? String(decoding: bytes, as: UTF8.self) : ""
        folder = UUID(uuidString: text) ?? UUID()
        if folder.uuidString != text {
            guard ftruncate(file, 0) == 0, pwrite(file, folder.uuidString, 36, 0) == 36, fsync(file) == 0 else {
                throw SystemError("write", path)
            }
        }
    }

    deinit { close(file) }
}
