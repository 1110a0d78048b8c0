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
            let header = bytes.count
            bytes += local(entry) + entry.data
            directory += listed(entry, at: entry.header ?? header)
        }
        let start = bytes.count
        bytes += directory
        if isWide { bytes += wideEnd(start: start, size: directory.count) }
        return bytes + end(start: start, size: directory.count) + comment.utf8
    }

    private func number<Number: FixedWidthInteger>(_ value: Int, _: Number.Type) -> [UInt8] {
        HandmadeSafetensors.littleEndian(Number(truncatingIfNeeded: value))
    }

    private func local(_ entry: Entry) -> [UInt8] {
        let name = Array((entry.innerName ?? entry.name).utf8)
        let sizes = number(entry.data.count, UInt32.self)
        return [0x50, 0x4B, 3, 4, 20, 0] + HandmadeSafetensors.littleEndian(entry.flags)
            + HandmadeSafetensors.littleEndian(entry.innerMethod ?? entry.method) + [UInt8](repeating: 0, count: 8)
            + sizes + sizes
            + number(name.count, UInt16.self) + [0, 0] + name
    }

    private func listed(_ entry: Entry, at header: Int) -> [UInt8] {
        let size = entry.size ?? entry.data.count
        let narrow = isWide ? [UInt8](repeating: 0xFF, count: 4) : number(size, UInt32.self)
        let wide = number(size, UInt64.self) + number(size, UInt64.self) + number(header, UInt64.self)
        let extra = isWide ? [1, 0] + number(wide.count, UInt16.self) + wide : []
        return [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + HandmadeSafetensors.littleEndian(entry.flags)
            + HandmadeSafetensors.littleEndian(entry.method) + [UInt8](repeating: 0, count: 8) + narrow + narrow
            + number(entry.name.utf8.count, UInt16.self) + number(extra.count, UInt16.self)
            + [UInt8](repeating: 0, count: 10)
            + (isWide ? [UInt8](repeating: 0xFF, count: 4) : number(header, UInt32.self)) + entry.name.utf8 + extra
    }

    private func wideEnd(start: Int, size: Int) -> [UInt8] {
        let many = number(count ?? entries.count, UInt64.self)
        let record =
            [0x50, 0x4B, 6, 6] + number(44, UInt64.self) + [45, 0, 45, 0] + [UInt8](repeating: 0, count: 8) + many
            + many + number(size, UInt64.self) + number(start, UInt64.self)
        return record + [0x50, 0x4B, 6, 7, 0, 0, 0, 0] + number(start + size, UInt64.self) + [1, 0, 0, 0]
    }

    private func end(start: Int, size: Int) -> [UInt8] {
        let many = isWide ? [0xFF, 0xFF] : number(count ?? entries.count, UInt16.self)
        let place = isWide ? [UInt8](repeating: 0xFF, count: 8) : number(size, UInt32.self) + number(start, UInt32.self)
        return [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + many + many + place + number(comment.utf8.count, UInt16.self)
    }
}
