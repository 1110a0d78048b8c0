import Checkpoints
import Compression
import Foundation

/// Writes a zip archive entry by entry; nothing is packed, and of an entry only a part is in memory.
struct ZipWriter {
    private let file: FileHandle
    private var records: [ZipRecord] = []
    private var end = 0

    /// - Parameter file: a new one.
    init(_ file: FileHandle) { self.file = file }

    /// Adds an entry that is in memory.
    mutating func append(_ name: String, _ bytes: [UInt8]) throws {
        try append(name, size: bytes.count) { write in try write(Data(bytes)) }
    }

    /// Adds an entry of `size` bytes, which `body` writes part by part.
    mutating func append(_ name: String, size: Int, _ body: ((Data) throws -> Void) throws -> Void) throws {
        var record = ZipRecord(name, size: size, place: end)
        try file.write(contentsOf: record.local)
        end += record.local.count + size
        try body { part in
            record.checksum = CyclicRedundancyCheck.updated(record.checksum, with: part)
            try file.write(contentsOf: part)
        }
        // Its checksum stands before the bytes it is of.
        try file.seek(toOffset: UInt64(record.place))
        try file.write(contentsOf: record.local)
        try file.seek(toOffset: UInt64(end))
        records.append(record)
    }

    /// Ends the archive with its directory.
    func finish() throws {
        let directory = records.flatMap(\.listed)
        let end = ZipEnd(count: records.count, size: directory.count, place: self.end)
        try file.write(contentsOf: directory + end.bytes)
    }
}
