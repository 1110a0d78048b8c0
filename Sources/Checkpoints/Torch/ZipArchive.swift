import Foundation

/// The entries of a zip archive (PKWARE's APPNOTE 6.3, with its 64-bit form).
struct ZipArchive {
    /// Where each entry's bytes are.
    let entries: [String: Range<Int>]
    /// Entries whose bytes are compressed, sorted.
    let compressed: [String]

    /// More entries than a checkpoint has storages are an attack.
    static let mostEntries = 1 << 20

    /// - Throws: `CheckpointError` for what is cut short, encrypted, overlapping or named twice.
    init(_ file: MappedFile) throws(CheckpointError) { (entries, compressed) = try ZipDirectory(file: file).read() }
}

private struct ZipDirectory {
    let file: MappedFile
    private var bytes: UnsafeRawBufferPointer { file.bytes }

    init(file: MappedFile) { self.file = file }

    private func problem(_ text: String) -> CheckpointError { CheckpointError(path: file.path, problem: text) }

    /// A number at a place; nil where the file ends before.
    private func number<Number: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _ type: Number.Type) -> Number? {
        guard place >= 0, place <= bytes.count - MemoryLayout<Number>.size else { return nil }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: type))
    }

    private func word(_ place: Int) -> Int? { number(place, UInt16.self).map(Int.init) }
    private func double(_ place: Int) -> Int? { number(place, UInt32.self).map(Int.init) }
    /// A 64-bit number, as far as it can be a place in a file.
    private func quad(_ place: Int) -> Int? { number(place, UInt64.self).flatMap { Int(exactly: $0) } }

    func read() throws(CheckpointError) -> (entries: [String: Range<Int>], compressed: [String]) {
        let directory = try location()
        var (entries, compressed): ([String: Range<Int>], [String]) = ([:], [])
        var taken: [(range: Range<Int>, name: String)] = []
        var place = directory.start
        for _ in 0..<directory.count {
            let entry = try entry(at: &place, before: directory.end)
            let data = try data(of: entry, before: directory.start)
            guard entries.updateValue(data, forKey: entry.name) == nil else {
                throw problem("its entry \(entry.name) is there twice")
            }
            if entry.isCompressed { compressed.append(entry.name) }
            taken.append((entry.header..<data.upperBound, entry.name))
        }
        taken.sort { ($0.range.lowerBound, $0.name) < ($1.range.lowerBound, $1.name) }
        for (a, b) in zip(taken, taken.dropFirst()) where a.range.upperBound > b.range.lowerBound {
            throw problem("its entries \(a.name) and \(b.name) overlap")
        }
        return (entries, compressed.sorted())
    }

    /// Where the list of entries lies and how many there are.
    private func location() throws(CheckpointError) -> (start: Int, end: Int, count: Int) {
        guard let end = endRecord() else {
            throw problem(
                "it begins as a zip archive and has no end: it is cut short (\(bytes.count) bytes); fetch it again")
        }
        var count = word(end + 10)!
        var size = double(end + 12)!
        var start = double(end + 16)!
        var limit = end
        if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            guard double(end - 20) == 0x0706_4B50, let record = quad(end - 12), record <= end - 20 - 56,
                double(record) == 0x0606_4B50, let many = quad(record + 32), let length = quad(record + 40),
                let first = quad(record + 48)
            else { throw problem("its 64-bit zip directory is damaged") }
            (count, size, start, limit) = (many, length, first, record)
        }
        guard count <= ZipArchive.mostEntries, size <= limit, start <= limit - size, count <= size / 46 else {
            throw problem("its zip directory (\(count) entries, \(size) bytes from \(start)) does not fit the file")
        }
        return (start, start + size, count)
    }

    /// The place of the record that ends the archive: the last one whose comment reaches to the file's end.
    private func endRecord() -> Int? {
        guard bytes.count >= 22 else { return nil }
        for place in stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xFFFF), by: -1)
        where bytes[place] == 0x50 {
            if double(place) == 0x0605_4B50, word(place + 20) == bytes.count - place - 22 { return place }
        }
        return nil
    }

    private struct Entry {
        let name: String
        /// As it lies in the file.
        let size: Int
        let isCompressed: Bool
        /// Where its own header is.
        let header: Int
    }

    /// The entry listed at a place, which moves to the next.
    private func entry(at place: inout Int, before end: Int) throws(CheckpointError) -> Entry {
        guard place <= end - 46, double(place) == 0x0201_4B50 else { throw problem("its zip directory is damaged") }
        let lengths = (name: word(place + 28)!, extra: word(place + 30)!, comment: word(place + 32)!)
        let next = place + 46 + lengths.name + lengths.extra + lengths.comment
        guard next <= end else { throw problem("its zip directory is damaged") }
        let name = String(decoding: bytes[place + 46..<place + 46 + lengths.name], as: UTF8.self)
        guard word(place + 8)! & 1 == 0 else { throw problem("its entry \(name) is encrypted") }
        var (packed, size, header) = (double(place + 20)!, double(place + 24)!, double(place + 42)!)
        let extra = place + 46 + lengths.name..<place + 46 + lengths.name + lengths.extra
        if packed == 0xFFFF_FFFF || size == 0xFFFF_FFFF || header == 0xFFFF_FFFF {
            guard let wide = wide(extra, size: size, packed: packed, header: header) else {
                throw problem("its entry \(name) has no 64-bit sizes, though it says so")
            }
            (size, packed, header) = wide
        }
        let isCompressed = word(place + 10)! != 0
        guard isCompressed || packed == size else { throw problem("its entry \(name) has two sizes") }
        place = next
        return Entry(name: name, size: packed, isCompressed: isCompressed, header: header)
    }

    /// The 64-bit numbers of an entry, in the order the extra field of kind 1 has those that are needed.
    private func wide(_ extra: Range<Int>, size: Int, packed: Int, header: Int) -> (Int, Int, Int)? {
        var place = extra.lowerBound
        while place <= extra.upperBound - 4 {
            let (kind, length) = (word(place)!, word(place + 2)!)
            guard place + 4 + length <= extra.upperBound else { return nil }
            if kind == 1 {
                var field = place + 4
                let numbers = [size, packed, header].map { number -> Int? in
                    guard number == 0xFFFF_FFFF else { return number }
                    defer { field += 8 }
                    return field + 8 <= place + 4 + length ? quad(field) : nil
                }
                guard let size = numbers[0], let packed = numbers[1], let header = numbers[2] else { return nil }
                return (size, packed, header)
            }
            place += 4 + length
        }
        return nil
    }

    /// Where an entry's bytes are, by its own header.
    private func data(of entry: Entry, before end: Int) throws(CheckpointError) -> Range<Int> {
        guard entry.header <= end - 30, double(entry.header) == 0x0403_4B50 else {
            throw problem("its entry \(entry.name) lies outside the file: it is cut short or damaged")
        }
        let header = entry.header
        guard (word(header + 8)! != 0) == entry.isCompressed else {
            throw problem("its entry \(entry.name) is compressed, and is not: its two headers differ")
        }
        let (name, extra) = (word(header + 26)!, word(header + 28)!)
        let start = header + 30 + name + extra
        guard start <= end, entry.size <= end - start else {
            throw problem("its entry \(entry.name) lies outside the file: it is cut short or damaged")
        }
        guard entry.name.utf8.elementsEqual(bytes[header + 30..<header + 30 + name]) else {
            throw problem("its entry \(entry.name) has another name in its own header")
        }
        return start..<start + entry.size
    }
}
