import Foundation

/// Cuts a stream of bytes into lines, and refuses a line that grows past a limit.
package struct LineFramer: Sendable {
    /// One line is longer than allowed.
    package struct TooLong: Error, Equatable, CustomStringConvertible {
        /// The limit in bytes.
        package let limit: Int
        package var description: String { "a line of the engine is longer than \(limit) bytes" }
    }

    private let limit: Int
    private var pending = Data()

    /// Frames lines of at most `limit` bytes.
    package init(limit: Int) { self.limit = limit }

    /// Takes bytes and gives the lines they complete, without their ends; empty lines are left out.
    package mutating func take(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [Data] {
        pending.append(contentsOf: bytes)
        var lines: [Data] = []
        while let end = pending.firstIndex(of: 0x0A) {
            let line = pending[pending.startIndex..<end]
            if line.count > limit { throw TooLong(limit: limit) }
            if !line.isEmpty { lines.append(Data(line)) }
            pending = Data(pending[(end + 1)...])
        }
        if pending.count > limit { throw TooLong(limit: limit) }
        return lines
    }
}
