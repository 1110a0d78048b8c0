import ComputeTesting
import FileTesting
import Images
import Testing

/// Pictures of every format, told by their bytes.
@Suite(.computing) struct DecodingTests {
    /// The colours in the middle of the six squares.
    static func squares(_ picture: Picture) -> [[UInt8]] {
        let (columns, rows) = picture.width > picture.height ? (3, 2) : (2, 3)
        return (0..<rows).flatMap { row in
            (0..<columns).map { column in
                let index = 3 * ((8 * row + 4) * picture.width + 8 * column + 4)
                return Array(picture.pixels[index..<index + 3])
            }
        }
    }

    /// The largest difference of any number.
    static func difference(_ a: [[UInt8]], _ b: [[UInt8]]) -> Int {
        zip(a.joined(), b.joined()).map { abs(Int($0) - Int($1)) }.max() ?? .max
    }

    @Test(arguments: [
        (EncodedPictures.jpeg, "a JPEG of 24×16"), (EncodedPictures.subsampledJPEG, "a JPEG of 24×16"),
        (EncodedPictures.progressiveJPEG, "a JPEG of 24×16"), (EncodedPictures.webp, "a WebP of 24×16"),
        (EncodedPictures.animatedWebP, "a WebP of 24×16"),
    ])
    func everyFormatIsReadToItsColours(file: [UInt8], words: String) throws {
        let decoded = try DecodedPicture(file)
        #expect(decoded.outline.description == words)
        #expect(Self.difference(Self.squares(decoded.picture), EncodedPictures.squares) <= 8)
    }

    @Test func greyJPEGsAreGrey() throws {
        let squares = Self.squares(try DecodedPicture(EncodedPictures.greyJPEG).picture)
        // Pillow's luma: 299, 587 and 114 thousandths.
        let expected = EncodedPictures.squares.map { colour -> [UInt8] in
            let grey = (299 * Int(colour[0]) + 587 * Int(colour[1]) + 114 * Int(colour[2]) + 500) / 1000
            return [UInt8](repeating: UInt8(grey), count: 3)
        }
        #expect(Self.difference(squares, expected) <= 2)
    }

    @Test func cmykWithoutAProfileIsNearlyRightAndSaidToBeSo() throws {
        let decoded = try DecodedPicture(EncodedPictures.cmykJPEG)
        #expect(Self.difference(Self.squares(decoded.picture), EncodedPictures.squares) <= 12)
        #expect(decoded.outline.warnings == ["its CMYK colours are approximate: it brings no colour profile"])
    }

    @Test func transparencyShowsTheBackground() throws {
        let squares = Self.squares(try DecodedPicture(EncodedPictures.alphaWebP).picture)
        #expect(squares[0] == [237, 142, 147], "(128 · 220 + 127 · 255) / 255 and so on, as numbers are mixed")
        #expect(squares[1] == EncodedPictures.squares[1])
    }

    @Test func anAnimationGivesItsFirstPictureAndSaysSo() throws {
        let warnings = try DecodedPicture(EncodedPictures.animatedWebP).outline.warnings
        #expect(warnings == ["an animation of 2 frames: the first is taken"])
    }

    @Test func theBytesTellTheFormatNotTheField() throws {
        #expect(throws: PictureError.self) { try Picture(png: EncodedPictures.jpeg) }
        let found = [
            (Array("GIF89a".utf8), "a GIF"), ([0, 0, 0, 24] + Array("ftypheic".utf8), "a HEIC picture"),
            ([0, 0, 0, 24] + Array("ftypavif".utf8), "an AVIF picture"), ([0x49, 0x49, 0x2A, 0], "a TIFF"),
            (Array("BM".utf8), "a BMP"), (Array("%PDF-1.7".utf8), "a PDF"),
            (Array("<?xml version=\"1.0\"?>\n<svg>".utf8), "an SVG"), (Array("<!DOCTYPE html>".utf8), "a web page"),
            (Array("version https://git-lfs.github.com/spec/v1".utf8), "a Git LFS pointer"), ([], "an empty file"),
            (Array("Once".utf8), "a text that begins Once"), ([1, 2, 3], "no picture: it begins with 01 02 03"),
            ([0x89] + Array("PNG\n\u{1A}\n".utf8), "a PNG that was changed as a text"),
            ([0x0A, 0x89] + Array("PNG\r\n\u{1A}\n".utf8), "a PNG with blanks before it"),
        ]
        for (bytes, name) in found {
            let error = try #require(throws: PictureError.self) { try DecodedPicture(bytes) }
            #expect(error.description.hasPrefix(name + "; "), "\(error)")
        }
    }

    /// Xcode's has a chunk before the header, and would be read in other colours.
    @Test func anAppsPictureIsNoDamagedPNG() throws {
        var file = HandmadePNG(kind: .rgb, width: 20, height: 20) { x, y, _ in x + y }.bytes
        file.insert(contentsOf: "\0\0\0\u{4}CgBIP\0 \u{6}\0\0\0\0".utf8, at: 8)
        let error = try #require(throws: PictureError.self) { try DecodedPicture(file) }
        #expect(error.description.hasPrefix("a picture out of an app of Apple's (CgBI); convert it"), "\(error)")
    }

    /// Brands of any picture, cameras' raw files, texts that begin with a comment or are a server's.
    @Test(arguments: [
        ("\0\0\0\u{1C}ftypmif1\0\0\0\0mif1avifmiaf", "an AVIF picture"),
        ("\0\0\0\u{18}ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        ("\0\0\0\u{18}ftypcrx \0\0\0\0crx isom", "a camera's raw file"),
        ("\0\0\0\u{14}ftypqt  \0\0\0\0qt  ", "a video"), ("FUJIFILMCCD-RAW 0201", "a camera's raw file"),
        ("II*\0\u{10}\0\0\0CR\u{2}", "a camera's raw file"), ("II*\0\u{8}\0\0\0", "a TIFF"),
        ("<!-- Generator: Inkscape -->\n<svg>", "an SVG"), ("<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC", "an SVG"),
        ("\n<!-- saved -->\n<HTML><svg>", "a web page"), ("<?xml version=\"1.0\"?><Error>", "a text in XML"),
        ("<svg><script>", "an SVG"), ("<?xml version=\"1.0\"?><header>", "a text in XML"),
        ("\u{FFFD}PNG\r\n\u{1A}\n", "a PNG that was changed as a text"),
        ("\u{89}PNG\r\n\u{1A}\n", "a PNG that was changed as a text"),
        ("\u{FF}\u{D8}\u{FF}\u{E0}", "a JPEG that was changed as a text"),
        ("\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\0", "a JPEG that was changed as a text"),
        ("RIFF\u{FFFD}\0\0WEBPVP8 ", "a WebP that was changed as a text"), ("P6\n64 64\n255\n", "a Netpbm picture"),
        ("qoif\0\0", "a QOI picture"), ("v/1\u{1}", "an OpenEXR picture"), ("Rar!\u{1A}", "a RAR archive"),
        ("https://example.com/a.png", "a text that begins https://example.com/a.png"),
        ("{\"error\":\"AccessDenied\"}", "a text in JSON"), ("{\n  \"error\": 403", "a text in JSON"),
    ]) func filesAreNamedByMoreThanTheirFirstWord(start: String, name: String) throws {
        let error = try #require(throws: PictureError.self) { try DecodedPicture(Array(start.utf8)) }
        #expect(error.description.hasPrefix(name + "; "), "\(error)")
    }

    /// As scanners and cameras write it: another version of JFIF, zeros in the scan's header, no mark at the end.
    @Test func whatHarmsNoPixelIsNoDamage() throws {
        let plain = try DecodedPicture(EncodedPictures.jpeg)
        var version = EncodedPictures.jpeg
        version[11] = 2
        var scan = EncodedPictures.jpeg
        let start = try #require(scan.indices.last { scan[$0...].starts(with: [0xFF, 0xDA]) })
        let end = start + 2 + Int(scan[start + 3])
        scan.replaceSubrange(end - 3..<end, with: [0, 0, 0])
        for file in [version, scan, Array(EncodedPictures.jpeg.dropLast(2))] {
            #expect(try DecodedPicture(file) == plain)
        }
    }

    @Test(arguments: [
        EncodedPictures.jpeg, EncodedPictures.progressiveJPEG, EncodedPictures.cmykJPEG, EncodedPictures.webp,
        EncodedPictures.alphaWebP, EncodedPictures.animatedWebP,
    ])
    func aFileThatIsCutOffIsRefused(file: [UInt8]) throws {
        for count in stride(from: 3, to: file.count - 40, by: 7) {
            let error = try #require(throws: PictureError.self) { try DecodedPicture(Array(file.prefix(count))) }
            guard case .damaged = error else { continue }
            #expect(error.description.hasPrefix("it is a damaged "))
        }
    }

    @Test func limitsHoldBeforeMemoryIsSpent() throws {
        let limits = PictureLimits(side: 23, pixels: 24 * 16, bytes: 1 << 16)
        for file in [EncodedPictures.jpeg, EncodedPictures.webp] {
            #expect(throws: PictureError.tooLarge(width: 24, height: 16, limit: limits)) {
                try DecodedPicture(file, limits: limits)
            }
        }
        // A frame of 65,535 × 65,535 pixels that is none.
        var bomb = EncodedPictures.jpeg
        let frame = try #require(bomb.indices.first { bomb[$0...].starts(with: [0xFF, 0xC0]) })
        bomb.replaceSubrange(frame + 5..<frame + 9, with: [255, 255, 255, 255])
        #expect(throws: PictureError.tooLarge(width: 65_535, height: 65_535, limit: PictureLimits())) {
            try DecodedPicture(bomb)
        }
        let reference = PictureLimits.reference
        let small = try Picture(width: 15, height: 400, filledWith: (1, 2, 3)).png()
        #expect(throws: PictureError.tooSmall(width: 15, height: 400, limit: reference)) {
            try DecodedPicture(small, limits: reference)
        }
    }

    @Test func refinedWithoutEndIsRefused() throws {
        // The last scan over and over: its pixels stay what they are, its work does not.
        let file = EncodedPictures.progressiveJPEG
        let scan = try #require(file.indices.last { file[$0...].starts(with: [0xFF, 0xDA]) })
        let again = Array(repeating: Array(file[scan..<file.count - 2]), count: 200).joined()
        let error = try #require(throws: PictureError.self) {
            try DecodedPicture(file.dropLast(2) + again + [0xFF, 0xD9])
        }
        #expect(error.description.contains("more than 100 scans") || error.description.contains("rogressi"), "\(error)")
    }
}
