import Foundation

/// An ICC profile made by hand (ICC.1:2010), tag by tag: what the readers of colours are tested with.
package enum HandmadeProfile {
    /// XYZ of sRGB's red, green and blue under the profile's white, D50.
    private static let sRGB = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]]
    /// Those of Display P3.
    private static let p3 = [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]]
    private static let white = [0.9642, 1.0, 0.8249]

    /// Display P3 with sRGB's curve.
    package static let displayP3 = rgb(p3)
    /// sRGB with red and green the other way round.
    package static let swapped = rgb([sRGB[1], sRGB[0], sRGB[2]])
    /// sRGB under a profile's name.
    package static let sameAsSRGB = rgb(sRGB)
    /// Greys in linear light.
    package static let linearGrey = profile(
        space: "GRAY", [("wtpt", xyz(white)), ("kTRC", Array("curv".utf8) + number(0) + number(0))])
    /// Four inks that darken a white paper and have no colour. Of version 2, where nothing is done to its black.
    package static let inks = profile(
        of: "prtr", version: [2, 0x40, 0, 0], space: "CMYK", connection: "Lab ",
        [("wtpt", xyz(white)), ("A2B0", lightness)])
    /// What each of them takes of 255, the paper's L*, where all of it is there.
    package static let darkening = [102, 77, 51, 25]

    private static func rgb(_ colorants: [[Double]]) -> [UInt8] {
        let curve =
            Array("para".utf8) + number(0) + [0, 3, 0, 0]
            + [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045].flatMap(fixed)
        let names = zip(["rXYZ", "gXYZ", "bXYZ"], colorants.map(xyz)).map { ($0, $1) }
        return profile(
            space: "RGB ", [("wtpt", xyz(white))] + names + ["rTRC", "gTRC", "bTRC"].map { ($0, curve) })
    }

    /// A table of both ends of each ink, the first the slowest (lut8Type).
    private static var lightness: [UInt8] {
        let asItIs = Array(UInt8.min...UInt8.max)
        let nodes = (0..<16).flatMap { node -> [UInt8] in
            let taken = (0..<4).reduce(0) { $0 + (node >> (3 - $1) & 1) * darkening[$1] }
            return [UInt8(255 - taken), 128, 128]
        }
        let matrix: [Double] = [1, 0, 0, 0, 1, 0, 0, 0, 1]
        var bytes = Array("mft1".utf8) + number(0) + [4, 3, 2, 0] + matrix.flatMap(fixed)
        for _ in 0..<4 { bytes += asItIs }
        bytes += nodes
        for _ in 0..<3 { bytes += asItIs }
        return bytes
    }

    /// The header of 128 bytes, the table of tags, their data.
    private static func profile(
        of device: String = "mntr", version: [UInt8] = [4, 0x20, 0, 0], space: String, connection: String = "XYZ ",
        _ tags: [(name: String, data: [UInt8])]
    ) -> [UInt8] {
        var offset = 132 + 12 * tags.count
        var table = number(tags.count)
        var data: [UInt8] = []
        for tag in tags {
            table += Array(tag.name.utf8) + number(offset) + number(tag.data.count)
            data += tag.data
            offset += tag.data.count
        }
        let spaces = Array(device.utf8) + Array(space.utf8) + Array(connection.utf8)
        let zeroes = [UInt8](repeating: 0, count: 128)
        var header = number(128 + table.count + data.count) + number(0) + version + spaces
        header += zeroes.prefix(12) + Array("acsp".utf8) + zeroes.prefix(28) + white.flatMap(fixed)
        return header + zeroes.prefix(128 - header.count) + table + data
    }

    private static func xyz(_ values: [Double]) -> [UInt8] { Array("XYZ ".utf8) + number(0) + values.flatMap(fixed) }
    private static func fixed(_ value: Double) -> [UInt8] { number(Int((value * 65_536).rounded())) }
    private static func number(_ value: Int) -> [UInt8] { HandmadePNG.number(value) }
}

/// EXIF made by hand.
package enum HandmadeExif {
    /// As cameras set to Adobe RGB write it: the first directory leads to EXIF's, that to the one of interoperability.
    package static let adobeRGB: [UInt8] =
        Array("MM".utf8) + [0, 42, 0, 0, 0, 8]
        + [0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]
        + [0, 2, 0xA0, 0x01, 0, 3, 0, 0, 0, 1, 0xFF, 0xFF, 0, 0, 0xA0, 0x05, 0, 4, 0, 0, 0, 1, 0, 0, 0, 56, 0, 0, 0, 0]
        + [0, 1, 0, 1, 0, 2, 0, 0, 0, 4] + Array("R03\0".utf8) + [0, 0, 0, 0]

    /// XMP that says how the camera was held.
    package static func xmp(_ value: Int, asElement: Bool = false) -> [UInt8] {
        let said = asElement ? "><tiff:Orientation>\(value)</tiff:Orientation>" : " tiff:Orientation=\"\(value)\">"
        return Array(("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:Description" + said + "</x:xmpmeta>").utf8)
    }

    /// The text of ImageMagick's chunk for a profile.
    package static func raw(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let digits = data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let lines = stride(from: 0, to: digits.count, by: 36).map { digits[$0..<min($0 + 36, digits.count)].joined() }
        return Array("\n\(name)\n    \(data.count)\n\(lines.joined(separator: "\n"))\n".utf8)
    }

    /// One directory that says how the camera was held.
    /// - Parameters:
    ///   - isBig: whether numbers begin with their highest byte.
    ///   - type: TIFF's, 3 as the standard has it (SHORT); 1 is BYTE, 4 is LONG.
    package static func orientation(_ value: Int, isBig: Bool = true, type: Int = 3) -> [UInt8] {
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            let digits = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return isBig ? digits.reversed() : digits
        }
        let head: [UInt8] = isBig ? [0x4D, 0x4D] : [0x49, 0x49]
        let other = number(0x0100, 2) + number(3, 2) + number(1, 4) + number(24, 2) + [0, 0]
        let size = [1: 1, 4: 4, 6: 1, 9: 4][type] ?? 2
        let entry =
            number(0x0112, 2) + number(type, 2) + number(1, 4) + number(value, size)
            + [UInt8](repeating: 0, count: 4 - size)
        return head + number(42, 2) + number(8, 4) + number(2, 2) + other + entry + number(0, 4)
    }
}

extension EncodedPictures {
    /// A JPEG with a segment more, before all others.
    package static func jpeg(_ jpeg: [UInt8], with marker: UInt8, _ data: [UInt8]) -> [UInt8] {
        let length = data.count + 2
        return [0xFF, 0xD8, 0xFF, marker, UInt8(length >> 8), UInt8(length & 255)] + data + jpeg.dropFirst(2)
    }

    /// A JPEG with EXIF.
    package static func jpeg(_ jpeg: [UInt8], exif: [UInt8]) -> [UInt8] {
        self.jpeg(jpeg, with: 0xE1, Array("Exif\0\0".utf8) + exif)
    }

    /// A JPEG with an ICC profile, in one part.
    package static func jpeg(_ jpeg: [UInt8], profile: [UInt8]) -> [UInt8] {
        self.jpeg(jpeg, with: 0xE2, Array("ICC_PROFILE\0".utf8) + [1, 1] + profile)
    }

    /// A simple WebP in the extended format, with EXIF, a profile and XMP (RFC 9649).
    package static func webp(
        _ webp: [UInt8], exif: [UInt8]? = nil, profile: [UInt8]? = nil, xmp: [UInt8]? = nil
    ) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let length = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: data.count >> $0) }
            return Array(name.utf8) + length + data + (data.count % 2 == 1 ? [0] : [])
        }
        let flags: UInt8 = (profile == nil ? 0 : 0x20) | (exif == nil ? 0 : 0x08) | (xmp == nil ? 0 : 0x04)
        let head = chunk("VP8X", [flags, 0, 0, 0, 23, 0, 0, 15, 0, 0])
        let body =
            Array("WEBP".utf8) + head + (profile.map { chunk("ICCP", $0) } ?? []) + webp.dropFirst(12)
            + (exif.map { chunk("EXIF", $0) } ?? []) + (xmp.map { chunk("XMP ", $0) } ?? [])
        return Array("RIFF".utf8) + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: body.count >> $0) } + body
    }
}
