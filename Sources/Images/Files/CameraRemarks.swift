/// What cameras and programs say of a picture beside its pixels. Of several places the first that says something
/// counts: EXIF is read before XMP.
struct CameraRemarks {
    private var exifOrientation, xmpOrientation: Orientation?
    /// Whether its colours are Adobe RGB's, which cameras say in EXIF alone and bring no profile for.
    private(set) var isAdobeRGB = false

    /// Nil where nothing is said, or nothing that is known.
    var orientation: Orientation? { exifOrientation ?? xmpOrientation }

    /// Reads EXIF's TIFF structure, with or without JPEG's mark before it.
    mutating func read(exif data: some Sequence<UInt8>) {
        let (data, mark) = (Array(data), Array("Exif\0\0".utf8))
        guard let tiff = TIFFReader(data.starts(with: mark) ? data.dropFirst(mark.count) : data[...]) else { return }
        exifOrientation = exifOrientation ?? tiff.integer(0x0112).flatMap(Orientation.init)
        guard let exif = tiff.directory(0x8769) else { return }
        // 2 is what some write; the standard says "uncalibrated", and the rule of interoperability R03 (DCF 2.0).
        let rule = tiff.directory(0xA005, in: exif).flatMap { tiff.text(0x0001, in: $0) }
        isAdobeRGB = isAdobeRGB || rule == "R03" || tiff.integer(0xA001, in: exif) == 2
    }

    /// Reads Adobe's XMP: the orientation as an attribute or an element (XMP specification, part 2, 2.2).
    mutating func read(xmp data: some Sequence<UInt8>) {
        let text = Array(data.prefix(1 << 20))
        guard let name = text.firstRange(of: "tiff:Orientation".utf8) else { return }
        let rest = text[name.upperBound...].drop { " \t\r\n=>\"'".utf8.contains($0) }
        guard let digit = rest.first, rest.dropFirst().first.map({ (0x30...0x39).contains($0) }) != true else { return }
        xmpOrientation = xmpOrientation ?? Orientation(rawValue: Int(digit) - 0x30)
    }
}

/// Directories of a TIFF structure (TIFF 6.0, section 2): every place is held against the data's end.
private struct TIFFReader {
    /// Where a directory begins.
    typealias Directory = Int
    private let data: ArraySlice<UInt8>
    private let isBig: Bool

    init?(_ data: ArraySlice<UInt8>) {
        let isBig = data.starts(with: [0x4D, 0x4D, 0x00, 0x2A])
        guard isBig || data.starts(with: [0x49, 0x49, 0x2A, 0x00]) else { return nil }
        (self.data, self.isBig) = (data, isBig)
    }

    /// The bytes of a whole number of each type: BYTE, SHORT, LONG, and the same with a sign, which nothing asked for
    /// here has. The standard says SHORT; not all programs do.
    private static let sizes = [1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4]

    /// The first whole number of a tag; of the first directory unless another is meant.
    func integer(_ tag: Int, in directory: Directory? = nil) -> Int? {
        guard let entry = entry(tag, in: directory) else { return nil }
        return number(at: entry + 2, bytes: 2).flatMap { Self.sizes[$0] }.flatMap { number(at: entry + 8, bytes: $0) }
    }

    /// A short text: it stands in its entry.
    func text(_ tag: Int, in directory: Directory) -> String? {
        guard let entry = entry(tag, in: directory), number(at: entry + 4, bytes: 4) ?? 5 <= 4 else { return nil }
        let start = data.startIndex + entry + 8
        guard start + 4 <= data.endIndex else { return nil }
        return String(decoding: data[start..<start + 4].prefix { $0 != 0 }, as: UTF8.self)
    }

    func directory(_ tag: Int, in directory: Directory? = nil) -> Directory? { integer(tag, in: directory) }

    private func entry(_ tag: Int, in directory: Directory?) -> Int? {
        guard let directory = directory ?? number(at: 4, bytes: 4), let count = number(at: directory, bytes: 2) else {
            return nil
        }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let found = number(at: entry, bytes: 2) else { return nil }
            if found == tag { return entry }
        }
        return nil
    }

    private func number(at offset: Int, bytes: Int) -> Int? {
        guard offset + bytes <= data.count else { return nil }
        let part = data[data.startIndex + offset..<data.startIndex + offset + bytes]
        return isBig ? part.reduce(0) { $0 << 8 | Int($1) } : part.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
