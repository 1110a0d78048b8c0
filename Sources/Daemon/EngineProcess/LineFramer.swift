import Foundation

/// Cuts a stream of bytes into lines, and refuses a line that grows past a limit.
struct LineFramer: Sendable {
    /// One line is longer than allowed.
    struct TooLong: Error, Equatable, CustomStringConvertible {
        /// The limit in bytes.
        let limit: Int
        var description: String { "a line of the engine is longer than \(limit) bytes" }
    }

    private let limit: Int
    private var pending = Data()

    /// Frames lines of at most `limit` bytes.
    init(limit: Int) { self.limit = limit }

    /// Takes bytes and gives the lines they complete, without their ends; empty lines are left out. Each byte is looked
    /// at once: an engine that writes no ends must not keep the daemon busy.
    mutating func take(_ bytes: UnsafeRawBufferPointer) throws(TooLong) -> [Data] {
        var lines: [Data] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            try append(rest[..<end])
            if !pending.isEmpty { lines.append(pending) }
            pending = Data()
            rest = rest[(end + 1)...]
        }
        try append(rest)
        return lines
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) throws(TooLong) {
        guard pending.count + bytes.count <= limit else { throw TooLong(limit: limit) }
        pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes))
    }
}
