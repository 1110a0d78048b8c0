import Checkpoints

/// A zip archive made by hand; what an honest one never says can be said.
package struct HandmadeZip {
    /// One entry, and what its headers claim of it.
    package struct Entry {
        package var name: String
        package var data: [UInt8]
        package var method: UInt16 = 0
        package var flags: UInt16 = 0
        /// The method in the own header, where it is another.
        package var innerMethod: UInt16?
        /// The size the directory claims.
        package var size: Int?
        /// The place of the own header that the directory claims.
        package var header: Int?
        /// The name in the own header.
        package var innerName: String?

        package init(_ name: String, _ data: [UInt8]) { (self.name, self.data) = (name, data) }
    }

    package var entries: [Entry]
    /// Whether sizes and places are written as 64-bit numbers in extra fields.
    package var isWide = false
    package var comment = ""
    /// The number of entries claimed.
    package var count: Int?

    package init(_ entries: [Entry]) { self.entries = entries }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            var record = ZipRecord(entry.name, size: entry.data.count, place: bytes.count)
            (record.flags, record.method, record.isWide) = (entry.flags, entry.method, isWide)
            bytes += local(entry, record) + entry.data
            (record.size, record.place) = (entry.size ?? record.size, entry.header ?? record.place)
            directory += record.listed
        }
        var end = ZipEnd(count: count ?? entries.count, size: directory.count, place: bytes.count)
        (end.isWide, end.comment) = (isWide, comment)
        return bytes + directory + end.bytes
    }

    private func local(_ entry: Entry, _ record: ZipRecord) -> [UInt8] {
        var record = record
        (record.name, record.method) = (entry.innerName ?? entry.name, entry.innerMethod ?? entry.method)
        return record.local
    }
}
