import Foundation
import Synchronization

/// stdout and stderr, each text written at once: who reads a pipe has every line when it is made, and what is shown
/// stands before the question about it.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case errors = 2

    /// What a program ends with whose output could not be written; the number of `sysexits.h`.
    package static let unwrittenStatus: Int32 = 74
    private static let isUnwritten = Mutex(false)

    /// Writes all of a text. Of stderr, what cannot be written is dropped: nobody reads it. Of stdout that is said,
    /// once; the program does what else it was asked to, and ends with ``unwrittenStatus``.
    package func write(_ text: String) {
        guard let failure = failure(writing: text), self == .output else { return }
        let isFirst = Self.isUnwritten.withLock { isUnwritten in
            defer { isUnwritten = true }
            return !isUnwritten
        }
        guard isFirst else { return }
        atexit { _exit(StandardStream.unwrittenStatus) }
        let program = ProcessInfo.processInfo.processName
        StandardStream.errors.write("\(program): stdout cannot be written: \(String(cString: strerror(failure)))\n")
    }

    /// The error number of what kept the text from being written as a whole; nil where nothing did.
    private func failure(writing text: String) -> Int32? {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress! + start, bytes.count - start) }
            if count >= 0 {
                start += count
            } else if errno == EAGAIN {
                awaitRoom()
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    /// A terminal or a pipe that others have set not to block.
    private func awaitRoom() {
        var descriptor = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        poll(&descriptor, 1, -1)
    }
}
