/// What a zip archive says of an entry, once before its bytes and once in the directory at its end (PKWARE's APPNOTE
/// 6.3).
package struct ZipRecord {
    /// The entry's name.
    package var name: String
    /// How many bytes it has.
    package var size: Int
    /// Where the record before them begins.
    package var place: Int
    /// How they are packed; 0: not at all.
    package var method: UInt16 = 0
    /// The lowest bit says that they are encrypted.
    package var flags: UInt16 = 0
    /// Their CRC-32.
    package var checksum: UInt32 = 0
    /// Whether size and place are 64-bit numbers, in an extra field.
    package var isWide: Bool

    /// An entry whose first record begins at `place`; 64-bit where that or the size needs it.
    package init(_ name: String, size: Int, place: Int) {
        (self.name, self.size, self.place) = (name, size, place)
        isWide = max(size, place) >= Int(UInt32.max)
    }

    /// The record before the bytes, filled up so that they begin at a multiple of 64 bytes, as torch has it.
    package var local: [UInt8] {
        let wide = isWide ? Self.extra(1, size64 + size64) : []
        let start = place + 30 + name.utf8.count + wide.count + 4
        // "FB", as torch calls it.
        let extra = wide + Self.extra(0x4246, [UInt8](repeating: 0, count: (64 - start % 64) % 64))
        var bytes: [UInt8] = [0x50, 0x4B, 3, 4]
        bytes += fields(extra)
        return bytes + name.utf8 + extra
    }

    /// The record in the directory.
    package var listed: [UInt8] {
        let place64 = UInt64(truncatingIfNeeded: place).littleEndianBytes
        let extra = isWide ? Self.extra(1, size64 + size64 + place64) : []
        var bytes: [UInt8] = [0x50, 0x4B, 1, 2, 45, 0]
        bytes += fields(extra)
        // No comment, the first disk, no attributes.
        bytes += [UInt8](repeating: 0, count: 10)
        bytes += narrow(place, isWide)
        return bytes + name.utf8 + extra
    }

    /// What both say: version, flags, method, no time, checksum, two sizes, and what follows.
    private func fields(_ extra: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [isWide ? 45 : 20, 0]
        bytes += flags.littleEndianBytes
        bytes += method.littleEndianBytes
        bytes += [0, 0, 0, 0]
        bytes += checksum.littleEndianBytes
        bytes += narrow(size, isWide)
        bytes += narrow(size, isWide)
        bytes += UInt16(name.utf8.count).littleEndianBytes
        bytes += UInt16(extra.count).littleEndianBytes
        return bytes
    }

    private var size64: [UInt8] { UInt64(truncatingIfNeeded: size).littleEndianBytes }

    private static func extra(_ kind: UInt16, _ data: [UInt8]) -> [UInt8] {
        kind.littleEndianBytes + UInt16(data.count).littleEndianBytes + data
    }
}

/// What ends a zip archive: where its directory lies.
package struct ZipEnd {
    /// How many entries the directory has.
    package var count: Int
    /// How many bytes.
    package var size: Int
    /// Where it begins.
    package var place: Int
    /// Whether these are 64-bit numbers, in a record of their own.
    package var isWide: Bool
    /// The archive's last bytes.
    package var comment = ""

    /// The end of a directory; 64-bit where its numbers need it.
    package init(count: Int, size: Int, place: Int) {
        (self.count, self.size, self.place) = (count, size, place)
        isWide = count >= Int(UInt16.max) || max(size, place) >= Int(UInt32.max)
    }

    /// What stands behind the directory.
    package var bytes: [UInt8] {
        var bytes = isWide ? wide : []
        bytes += [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
        bytes += many + many
        bytes += narrow(size, isWide)
        bytes += narrow(place, isWide)
        bytes += UInt16(comment.utf8.count).littleEndianBytes
        return bytes + comment.utf8
    }

    /// The record of 64-bit numbers, and where it is.
    private var wide: [UInt8] {
        let many = UInt64(truncatingIfNeeded: count).littleEndianBytes
        var bytes: [UInt8] = [0x50, 0x4B, 6, 6, 44, 0, 0, 0, 0, 0, 0, 0, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        bytes += many + many
        bytes += UInt64(size).littleEndianBytes
        bytes += UInt64(place).littleEndianBytes
        bytes += [0x50, 0x4B, 6, 7, 0, 0, 0, 0]
        bytes += UInt64(place + size).littleEndianBytes
        return bytes + [1, 0, 0, 0]
    }

    private var many: [UInt8] { (isWide ? UInt16.max : UInt16(truncatingIfNeeded: count)).littleEndianBytes }
}

/// A number of 32 bits, or what stands in its place where it has 64.
private func narrow(_ number: Int, _ isWide: Bool) -> [UInt8] {
    (isWide ? UInt32.max : UInt32(truncatingIfNeeded: number)).littleEndianBytes
}
