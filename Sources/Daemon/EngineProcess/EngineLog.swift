import Foundation
import Synchronization

/// What one engine says on stderr: appended to a file of bounded size, its last part kept in memory for the attempt's
/// row.
package final class EngineLog: Sendable {
    /// The file stops growing here; a loop that logs must not fill the disk.
    package static let fileLimit = 16 << 20
    /// As much of the end is kept in memory.
    private static let tailLimit = 16 << 10

    private struct State {
        var file: Int32
        var written: Int
        var tail = Data()
    }

    private let state: Mutex<State>

    /// Opens (creates) the file at `path` for appending.
    package init(path: String) throws(SystemError) {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard file >= 0 else { throw SystemError("open", path) }
        state = Mutex(State(file: file, written: Int(lseek(file, 0, SEEK_END))))
    }

    deinit { state.withLock { _ = close($0.file) } }

    /// Appends bytes.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        state.withLock { state in
            if state.written + bytes.count <= Self.fileLimit {
                state.written += max(0, write(state.file, bytes.baseAddress, bytes.count))
            }
            state.tail.append(contentsOf: bytes)
            if state.tail.count > 2 * Self.tailLimit { state.tail = Data(state.tail.suffix(Self.tailLimit)) }
        }
    }

    /// The last lines, made valid UTF-8 without NUL, which PostgreSQL's text cannot hold.
    package var tail: String {
        let bytes = state.withLock { Data($0.tail.suffix(Self.tailLimit)) }
        return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\0", with: "\u{FFFD}")
    }
}
