/// A PNG file made by hand, chunk by chunk and bit by bit, without libpng: what the reader's tests read and its fuzzing
/// starts from. The pixels are stored, not compressed (PNG, third edition; zlib's stored blocks, RFC 1950 and 1951).
package struct HandmadePNG: Sendable {
    /// Colour types with the bit depths each allows.
    package enum Kind: UInt8, CaseIterable, Sendable {
        case grey = 0
        case rgb = 2
        case palette = 3
        case greyAlpha = 4
        case rgba = 6

        package var channels: Int { [.grey: 1, .rgb: 3, .palette: 1, .greyAlpha: 2, .rgba: 4][self]! }
        package var depths: [Int] { [.grey: [1, 2, 4, 8, 16], .palette: [1, 2, 4, 8]][self] ?? [8, 16] }
    }

    package var kind: Kind
    package var depth = 8
    package var width: Int
    package var height: Int
    package var isInterlaced = false
    /// PLTE, tRNS, gAMA and so on, between IHDR and IDAT.
    package var ancillary: [(type: String, data: [UInt8])] = []
    /// The raw sample of a channel at a place, 0 to 2^depth − 1.
    package var sample: @Sendable (_ x: Int, _ y: Int, _ channel: Int) -> Int

    /// Describes a file.
    package init(
        kind: Kind, depth: Int = 8, width: Int, height: Int, isInterlaced: Bool = false,
        ancillary: [(type: String, data: [UInt8])] = [],
        sample: @escaping @Sendable (_ x: Int, _ y: Int, _ channel: Int) -> Int
    ) {
        (self.kind, self.depth, self.width, self.height, self.isInterlaced) = (kind, depth, width, height, isInterlaced)
        (self.ancillary, self.sample) = (ancillary, sample)
    }

    /// Columns and rows of a pass: where they start and how far apart they are. One for the whole picture, or Adam7's
    /// seven.
    private var passes: [(x: Int, y: Int, dx: Int, dy: Int)] {
        isInterlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
            : [(0, 0, 1, 1)]
    }

    package static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    package var header: [UInt8] {
        Self.number(width) + Self.number(height) + [UInt8(depth), kind.rawValue, 0, 0, isInterlaced ? 1 : 0]
    }

    /// The rows of all passes, each behind a filter byte of 0.
    package var scanlines: [UInt8] {
        var bytes: [UInt8] = []
        for pass in passes where pass.x < width {
            let columns = Array(stride(from: pass.x, to: width, by: pass.dx))
            for y in stride(from: pass.y, to: height, by: pass.dy) { bytes += [0] + row(y, columns) }
        }
        return bytes
    }

    /// Samples packed from the highest bit on.
    private func row(_ y: Int, _ columns: [Int]) -> [UInt8] {
        let samples = columns.flatMap { x in (0..<kind.channels).map { sample(x, y, $0) } }
        if depth == 16 { return samples.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        let perByte = 8 / depth
        return stride(from: 0, to: samples.count, by: perByte).map { start in
            (0..<perByte).reduce(0) { byte, i in
                byte << depth | (start + i < samples.count ? UInt8(samples[start + i]) : 0)
            }
        }
    }

    /// The file.
    package var bytes: [UInt8] {
        file([("IHDR", header)] + ancillary + [("IDAT", Self.zlib(scanlines)), ("IEND", [])])
    }

    /// A file of these chunks, whatever they are.
    package func file(_ chunks: [(type: String, data: [UInt8])]) -> [UInt8] {
        Self.signature + chunks.flatMap { Self.chunk($0.type, $0.data) }
    }

    package static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let checked = Array(type.utf8) + data
        return number(data.count) + checked + number(Int(crc32(checked)))
    }

    /// A zlib stream of stored blocks of at most 65535 bytes.
    package static func zlib(_ data: [UInt8]) -> [UInt8] {
        let starts = Array(stride(from: 0, to: max(data.count, 1), by: 65535))
        let blocks = starts.flatMap { start -> [UInt8] in
            let part = data[start..<min(start + 65535, data.count)]
            let low = UInt8(part.count & 255)
            let high = UInt8(part.count >> 8)
            return [start == starts.last! ? 1 : 0, low, high, ~low, ~high] + part
        }
        return [0x78, 0x01] + blocks + number(Int(adler32(data)))
    }

    package static func number(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    package static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }

    /// Writes the right CRC behind every chunk that lies in the file.
    package static func correctChecksums(_ bytes: inout [UInt8]) {
        var offset = 8
        while offset + 12 <= bytes.count {
            let end = offset + 8 + bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard end + 4 <= bytes.count else { return }
            bytes.replaceSubrange(end..<end + 4, with: number(Int(crc32(bytes[offset + 4..<end]))))
            offset = end + 4
        }
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes { (a, b) = ((a + UInt32(byte)) % 65521, (b + (a + UInt32(byte)) % 65521) % 65521) }
        return b << 16 | a
    }
}
