import CZlib

/// A text chunk of a PNG (third edition, 11.3.3): ImageMagick keeps EXIF in them as hexadecimal digits, Adobe XMP.
struct PNGText {
    /// Longer ones are no remark of a camera's.
    private static let limit = 1 << 20

    let keyword: String
    private let text: ArraySlice<UInt8>
    private let isCompressed: Bool

    /// - Parameter type: `tEXt`, `zTXt` or `iTXt`; nil for others, and for what is damaged.
    init?(_ type: String, _ data: ArraySlice<UInt8>) {
        guard ["tEXt", "zTXt", "iTXt"].contains(type), let end = data.prefix(80).firstIndex(of: 0) else { return nil }
        keyword = String(decoding: data[..<end], as: UTF8.self)
        var rest = data[(end + 1)...]
        switch type {
        case "zTXt": (isCompressed, rest) = (true, rest.dropFirst())
        case "iTXt":
            isCompressed = rest.first == 1
            rest = rest.dropFirst(2)
            // The language, and the keyword in it.
            for _ in 0..<2 {
                guard let end = rest.firstIndex(of: 0) else { return nil }
                rest = rest[(end + 1)...]
            }
        default: isCompressed = false
        }
        text = rest
    }

    /// Adds what it says of how the picture was taken.
    /// - Returns: whether it is there to say such things.
    func add(to remarks: inout CameraRemarks) -> Bool {
        switch keyword {
        case "XML:com.adobe.xmp": remarks.read(xmp: contents)
        case "Raw profile type xmp": remarks.read(xmp: raw)
        case "Raw profile type exif", "Raw profile type APP1": remarks.read(exif: raw)
        default: return false
        }
        return true
    }

    /// As much as a remark may have of it.
    private var contents: [UInt8] {
        guard isCompressed else { return Array(text.prefix(Self.limit)) }
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return [] }
        defer { inflateEnd(&stream) }
        var source = Array(text)
        return [UInt8](unsafeUninitializedCapacity: Self.limit) { result, count in
            source.withUnsafeMutableBufferPointer { source in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = result.baseAddress
                stream.avail_out = UInt32(Self.limit)
                _ = inflate(&stream, Z_FINISH)
                count = Self.limit - Int(stream.avail_out)
            }
        }
    }

    /// The bytes of ImageMagick's profile: its name and its length on lines of their own, then two digits for each.
    private var raw: [UInt8] {
        let lines = contents.split(separator: UInt8(ascii: "\n"))
        let digits = lines.dropFirst(2).joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
