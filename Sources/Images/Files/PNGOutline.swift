import Compression
import Jobs

/// What a PNG file claims about itself: its header, and chunk after chunk how long it is (PNG, third edition, section
/// 5). Read from the bytes before anything is decoded, so that a file which claims too much costs nothing.
struct PNGOutline {
    /// One chunk: 4 bytes of length, 4 of type, the data, 4 of CRC.
    private struct Chunk {
        let offset: Int, length: Int, type: ArraySlice<UInt8>
        var name: String { String(decoding: type, as: UTF8.self) }
        func data(of file: [UInt8]) -> ArraySlice<UInt8> { file[offset + 8..<offset + 8 + length] }
        var end: Int { offset + 12 + length }
        func isNamed(_ name: String) -> Bool { type.elementsEqual(name.utf8) }
    }

    /// Channels by colour type: grey, RGB, palette, grey and alpha, RGB and alpha.
    private static let channels: [UInt8: Int] = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4]

    /// What chunks say of the pixels.
    struct Remarks {
        var coded: CodedColours?
        /// The ICC profile; nothing of it where it is damaged.
        var profile: [UInt8]?
        var isSRGB = false
        var gamma: Double?
        var primaries: Primaries?
        var camera = CameraRemarks()
        /// That it is an animation, in words.
        var animation: String?
    }

    let width: Int
    let height: Int
    /// Bits of a sample.
    let depth: Int
    let isGrey: Bool
    private(set) var says = Remarks()
    private let bitsPerPixel: Int
    private let data: [UInt8]

    /// Reads the signature and the header chunk.
    init(_ data: [UInt8]) throws(PictureError) {
        guard !data.isEmpty else { throw .notPNG("it is empty") }
        guard data.starts(with: PictureFormat.pngSignature.prefix(data.count)) else {
            throw .notPNG(
                """
                it begins with \(PNGOutline.hexadecimal(data.prefix(8))), a PNG file with \
                \(PNGOutline.hexadecimal(PictureFormat.pngSignature[...]))
                """
            )
        }
        guard data.count >= 8 else { throw .damaged(.png, "it ends at byte \(data.count), inside the signature") }
        let header = try PNGOutline.chunk(at: 8, of: data)
        guard header.isNamed("IHDR"), header.length == 13 else {
            throw .damaged(
                .png, "it begins with a chunk \(header.name) of \(header.length) bytes, not with an IHDR of 13")
        }
        width = PNGOutline.number(at: 16, of: data)
        height = PNGOutline.number(at: 20, of: data)
        guard width > 0, height > 0 else { throw .damaged(.png, "IHDR says it is \(width)×\(height) pixels") }
        depth = Int(data[24])
        isGrey = data[25] == 0 || data[25] == 4
        bitsPerPixel = depth * (PNGOutline.channels[data[25]] ?? 1)
        self.data = data
        collectRemarks()
    }

    /// Reads what is said before the pixels; what is damaged there ends the search, and the file when it is decoded.
    private mutating func collectRemarks() {
        var frames: Int?
        var texts = 0
        var isFirstFrame = false
        var offset = 8
        while let chunk = try? PNGOutline.chunk(at: offset, of: data), !chunk.isNamed("IEND") {
            offset = chunk.end
            let bytes = Array(chunk.data(of: data).prefix(32))
            if chunk.isNamed("IDAT") {
                // A single frame that is the picture itself is no animation.
                if let frames, frames > 1 || !isFirstFrame {
                    says.animation = PNGOutline.animation(frames, isFirstFrame)
                }
                frames = nil
            }
            switch chunk.name {
            case "acTL" where chunk.length == 8:
                let count = PNGOutline.number(at: 0, of: bytes)
                if count > 0 { frames = count }
            case "fcTL": isFirstFrame = true
            case "iCCP": says.profile = says.profile ?? PNGOutline.profile(chunk.data(of: data))
            case "sRGB": says.isSRGB = true
            case "gAMA" where chunk.length == 4:
                let gamma = Double(PNGOutline.number(at: 0, of: bytes)) / 100_000
                if (0.05...20).contains(gamma) { says.gamma = gamma }
            case "cHRM" where chunk.length == 32: says.primaries = PNGOutline.primaries(bytes)
            case "cICP" where chunk.length == 4:
                says.coded = CodedColours(
                    primaries: bytes[0], transfer: bytes[1], matrix: bytes[2], isFullRange: bytes[3] == 1)
            case "eXIf": says.camera.read(exif: chunk.data(of: data))
            default:
                // A file of thousands that are small when they are compressed would cost an hour.
                guard texts < 4, let text = PNGText(chunk.name, chunk.data(of: data)) else { break }
                if text.add(to: &says.camera) { texts += 1 }
            }
        }
    }

    /// The profile behind its name and one more zero, which says that zlib packed it (PNG, third edition, 11.3.2.3).
    private static func profile(_ data: ArraySlice<UInt8>) -> [UInt8] {
        guard let end = data.prefix(80).firstIndex(of: 0) else { return [] }
        return Inflation.expanded(data[(end + 1)...].dropFirst(), .zlib, limit: 4 << 20).map([UInt8].init) ?? []
    }

    private static func animation(_ frames: Int, _ isFirstFrame: Bool) -> String {
        isFirstFrame
            ? "an animation of \(frames) frames: the first is taken"
            : """
            an animation of \(counted(frames, "frame")): the picture beside it is taken, which is none of them
            """
    }

    /// Eight numbers in hundred-thousandths: x and y of white, red, green, blue.
    private static func primaries(_ bytes: [UInt8]) -> Primaries {
        let numbers = (0..<8).map { Double(number(at: 4 * $0, of: bytes)) / 100_000 }
        return Primaries(
            white: (numbers[0], numbers[1]), red: (numbers[2], numbers[3]), green: (numbers[4], numbers[5]),
            blue: (numbers[6], numbers[7]))
    }

    /// Walks over all chunks: each must lie within the file, the last be IEND, and the IDATs be long enough for the
    /// pixels. Deflate makes at most 1032 bytes of one (zlib's technical details).
    func requireWhole() throws(PictureError) {
        var offset = 8
        var compressed = 0
        var chunk: Chunk
        repeat {
            chunk = try PNGOutline.chunk(at: offset, of: data)
            offset = chunk.end
            if chunk.isNamed("IDAT") { compressed += chunk.length }
        } while !chunk.isNamed("IEND")
        let (bits, isHuge) = width.multipliedReportingOverflow(by: height * bitsPerPixel)
        guard !isHuge, compressed * 1032 >= bits / 8 else {
            throw .damaged(
                .png,
                "its \(compressed) bytes of IDAT cannot hold \(width)×\(height) pixels of \(bitsPerPixel) bits")
        }
    }

    private static func chunk(at offset: Int, of data: [UInt8]) throws(PictureError) -> Chunk {
        guard offset + 8 <= data.count else {
            throw .damaged(.png, "it ends at byte \(data.count); the chunk at byte \(offset) is incomplete or missing")
        }
        let chunk = Chunk(offset: offset, length: number(at: offset, of: data), type: data[offset + 4..<offset + 8])
        guard chunk.type.allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) }) else {
            throw .damaged(
                .png,
                "the chunk at byte \(offset) is named \(hexadecimal(chunk.type)); four letters are allowed")
        }
        guard chunk.end <= data.count else {
            throw .damaged(
                .png,
                """
                the chunk \(chunk.name) at byte \(offset) claims \(chunk.length) bytes; the file ends at byte \
                \(data.count)
                """
            )
        }
        return chunk
    }

    /// A big-endian 32-bit number.
    private static func number(at offset: Int, of data: [UInt8]) -> Int {
        data[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
    }
}
