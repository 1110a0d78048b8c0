import ComputeTesting
import FileTesting
import Images
import Testing

/// How the camera was held.
@Suite(.computing) struct OrientationTests {
    /// What becomes of the squares 0 1 2 / 3 4 5, row by row (EXIF 2.32, figure of 4.6.4.A).
    static let squares: [Int: [Int]] = [
        1: [0, 1, 2, 3, 4, 5], 2: [2, 1, 0, 5, 4, 3], 3: [5, 4, 3, 2, 1, 0], 4: [3, 4, 5, 0, 1, 2],
        5: [0, 3, 1, 4, 2, 5], 6: [3, 0, 4, 1, 5, 2], 7: [5, 2, 4, 1, 3, 0], 8: [2, 5, 1, 4, 0, 3],
    ]

    private func check(_ file: [UInt8], _ value: Int) throws {
        let decoded = try DecodedPicture(file)
        let expected = Self.squares[value]!.map { EncodedPictures.squares[$0] }
        #expect(DecodingTests.difference(DecodingTests.squares(decoded.picture), expected) <= 8)
        #expect(decoded.outline.height == (value < 5 ? 16 : 24) && decoded.outline.warnings.isEmpty)
    }

    @Test(arguments: 1...8, [true, false])
    func picturesStandUpright(value: Int, isBig: Bool) throws {
        let exif = HandmadeExif.orientation(value, isBig: isBig)
        try check(EncodedPictures.jpeg(EncodedPictures.jpeg, exif: exif), value)
        try check(EncodedPictures.webp(EncodedPictures.webp, exif: exif), value)
        try check(Self.png([("eXIf", exif)]), value)
    }

    /// As some programs write it: a BYTE or a LONG, with a sign or without, and in PNG with JPEG's mark before it.
    @Test(arguments: [1, 4, 6, 8, 9], [true, false])
    func otherWholeNumbersAreReadToo(type: Int, isBig: Bool) throws {
        let exif = HandmadeExif.orientation(6, isBig: isBig, type: type)
        try check(EncodedPictures.jpeg(EncodedPictures.jpeg, exif: exif), 6)
        try check(Self.png([("eXIf", Array("Exif\0\0".utf8) + exif)]), 6)
    }

    /// As programs that know no EXIF write it, and ImageMagick before PNG had a chunk for it.
    @Test func otherPlacesAreReadToo() throws {
        let name = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
        for isElement in [true, false] {
            let xmp = HandmadeExif.xmp(6, asElement: isElement)
            try check(EncodedPictures.jpeg(EncodedPictures.jpeg, with: 0xE1, name + xmp), 6)
            try check(EncodedPictures.webp(EncodedPictures.webp, xmp: xmp), 6)
            for isCompressed in [true, false] { try check(Self.png([Self.xmp(xmp, isCompressed)]), 6) }
        }
        let exif = HandmadeExif.orientation(8)
        for (keyword, data) in [("exif", Array("Exif\0\0".utf8) + exif), ("APP1", exif)] {
            let key = Array("Raw profile type \(keyword)\0".utf8)
            let text = HandmadeExif.raw(keyword, data)
            try check(Self.png([("zTXt", key + [0] + HandmadePNG.zlib(text))]), 8)
            try check(Self.png([("tEXt", key + text)]), 8)
        }
    }

    @Test func exifCountsBeforeXMP() throws {
        let both = EncodedPictures.webp(
            EncodedPictures.webp, exif: HandmadeExif.orientation(3), xmp: HandmadeExif.xmp(6))
        try check(both, 3)
        try check(Self.png([Self.xmp(HandmadeExif.xmp(6), true), ("eXIf", HandmadeExif.orientation(3))]), 3)
    }

    @Test func whatIsDamagedInThosePlacesTurnsNothing() throws {
        for value in [0, 9, 66] {
            try check(EncodedPictures.webp(EncodedPictures.webp, xmp: HandmadeExif.xmp(value)), 1)
        }
        let raw = HandmadeExif.raw("exif", HandmadeExif.orientation(6))
        for count in 0..<raw.count - 20 {
            try check(Self.png([("tEXt", Array("Raw profile type exif\0".utf8) + raw.prefix(count))]), 1)
        }
        let chunk = Self.xmp(HandmadeExif.xmp(6), true).data
        for count in 0..<chunk.count / 2 { try check(Self.png([("iTXt", Array(chunk.prefix(count)))]), 1) }
    }

    private static func xmp(_ xmp: [UInt8], _ isCompressed: Bool) -> (type: String, data: [UInt8]) {
        let head = Array("XML:com.adobe.xmp\0".utf8) + [isCompressed ? 1 : 0, 0] + Array("en\0\0".utf8)
        return ("iTXt", head + (isCompressed ? HandmadePNG.zlib(xmp) : xmp))
    }

    @Test func whatIsNoOrientationTurnsNothing() throws {
        for exif in [HandmadeExif.orientation(0), HandmadeExif.orientation(9), Array("MM".utf8), []] {
            try check(EncodedPictures.jpeg(EncodedPictures.jpeg, exif: exif), 1)
        }
        let whole = HandmadeExif.orientation(6)
        for count in 0..<30 {
            try check(EncodedPictures.jpeg(EncodedPictures.jpeg, exif: Array(whole.prefix(count))), 1)
        }
    }

    /// The six squares as a PNG with more chunks.
    static func png(_ ancillary: [(type: String, data: [UInt8])]) -> [UInt8] {
        HandmadePNG(kind: .rgb, width: 24, height: 16, ancillary: ancillary) { x, y, c in
            Int(EncodedPictures.squares[y / 8 * 3 + x / 8][c])
        }.bytes
    }
}
