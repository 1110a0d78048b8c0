import Compression

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

    /// Nothing where it is damaged.
    private var contents: [UInt8] {
        let part = isCompressed ? Inflation.expanded(text, .zlib, limit: Self.limit).map([UInt8].init) : Array(text)
        return part.map { Array($0.prefix(Self.limit)) } ?? []
    }

    /// The bytes of ImageMagick's profile: its name and its length on lines of their own, then two digits for each.
    private var raw: [UInt8] {
        let lines = contents.split(separator: UInt8(ascii: "\n"))
        let digits = lines.dropFirst(2).joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
