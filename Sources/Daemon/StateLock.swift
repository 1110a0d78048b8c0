import Foundation

/// Exactly one daemon for each state folder: whoever holds the lock may treat the jobs of its predecessor in this folder as free.
package final class StateLock: Sendable {
    private let file: Int32

    /// Takes the lock of `directory`, or throws: EWOULDBLOCK when another daemon holds it.
    package init(directory: String) throws(SystemError) {
        let path = directory + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError("open", path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(file)
            throw SystemError("lock", path, code: code)
        }
        self.file = file
    }

    deinit { close(file) }
}
