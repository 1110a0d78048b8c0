/// What a file is that is no picture of a format that can be read, told by its first bytes, and what to do with it.
package struct ForeignFile: Sendable, Equatable {
    /// With its article: `a HEIC picture`.
    package let name: String
    /// What makes a picture of it.
    package let advice: String

    /// Names what begins so; what nobody knows by its first bytes.
    package init(_ bytes: some Sequence<UInt8>) {
        let start = Array(bytes.prefix(512))
        self =
            Self.media(start) ?? Self.spoilt(start) ?? Self.text(start) ?? Self.container(start)
            ?? Self.words(start) ?? Self.unknown(start)
    }

    private init(_ name: String, _ advice: String) { (self.name, self.advice) = (name, advice) }

    /// What Xcode makes of an app's pictures begins as a PNG and is none: a chunk before the header says that colours
    /// stand the other way round and rows lack zlib's header, which nobody but Apple reads.
    static func isApplesPNG(_ start: [UInt8]) -> Bool {
        start.starts(with: PictureFormat.pngSignature) && start.dropFirst(12).starts(with: "CgBI".utf8)
    }

    /// ISO base media files name their brand at byte 8 (ISO/IEC 14496-12 and 23008-12; the AVIF specification).
    private static func media(_ start: [UInt8]) -> ForeignFile? {
        if isApplesPNG(start) {
            return ForeignFile(
                "a picture out of an app of Apple's (CgBI)",
                "convert it on a Mac: sips -s format jpeg icon.png --out photo.jpg")
        }
        if start.starts(with: [0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) || start.starts(with: [0xFF, 0x0A]) {
            return ForeignFile("a JPEG XL picture", "convert it: djxl photo.jxl photo.png")
        }
        if start.starts(with: [0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50]) || start.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) {
            return ForeignFile("a JPEG 2000 picture", "convert it: convert photo.jp2 photo.png")
        }
        if start.starts(with: "RIFF".utf8), start.dropFirst(8).starts(with: "AVI ".utf8) { return video }
        guard start.count >= 12, start[4..<8].elementsEqual("ftyp".utf8) else { return nil }
        switch brand(start) {
        case "avif", "avis": return ForeignFile("an AVIF picture", "convert it: heif-convert photo.avif photo.png")
        case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
            return ForeignFile("a HEIC picture", "convert it: heif-convert photo.heic photo.jpg")
        case "crx ": return raw
        default: return video
        }
    }

    /// What an ISO base media file is first of all. Brands of any picture leave that to the compatible ones, which
    /// follow a version: nearly all that do not say AVIF are HEIC.
    private static func brand(_ start: [UInt8]) -> String {
        let end = min(start.count, max(12, start[..<4].reduce(0) { $0 << 8 | Int($1) }))
        let brands = stride(from: 8, through: end - 4, by: 4).map {
            String(decoding: start[$0..<$0 + 4], as: UTF8.self)
        }
        guard ["mif1", "msf1", "miaf"].contains(brands[0]) else { return brands[0] }
        return brands.first { $0.hasPrefix("avi") } ?? "heic"
    }

    /// A picture that was taken for a text on its way: read as UTF-8 or Latin-1 and written anew, its line ends changed
    /// (a PNG's first bytes are made to tell that: third edition, 5.2), or blanks before it.
    private static func spoilt(_ start: [UInt8]) -> ForeignFile? {
        let advice = "read its file as bytes, not as text: open(path, 'rb') in Python"
        let replaced: [UInt8] = [0xEF, 0xBF, 0xBD]
        let firsts: [[UInt8]] = [[0x89], replaced, [0xC2, 0x89], [0x09], [0x3F]]
        let starts = firsts.flatMap { [$0 + Array("PNG\r".utf8), $0 + Array("PNG\n".utf8)] }
        if starts.contains(where: { start.starts(with: $0) }) {
            return ForeignFile("a PNG that was changed as a text", advice)
        }
        if start.starts(with: replaced + replaced + replaced) || start.starts(with: "\u{FF}\u{D8}\u{FF}".utf8) {
            return ForeignFile("a JPEG that was changed as a text", advice)
        }
        if start.starts(with: "RIFF".utf8), start.dropFirst(8).prefix(20).firstRange(of: "WEBP".utf8) != nil {
            return ForeignFile("a WebP that was changed as a text", advice)
        }
        let rest = start.drop { [0x09, 0x0A, 0x0D, 0x20, 0xEF, 0xBB, 0xBF].contains($0) }
        return PictureFormat(rest).map { ForeignFile("a \($0.rawValue) with blanks before it", advice) }
    }

    private static let video = ForeignFile(
        "a video", "take a picture of it: ffmpeg -i video.mp4 -frames:v 1 photo.png")
    private static let raw = ForeignFile("a camera's raw file", "develop it: darktable-cli photo.raw photo.jpg")

    /// How the raw files of Canon, Olympus, Panasonic, Fujifilm, Minolta and Sigma begin; others' begin as TIFFs.
    private static let rawStarts: [[UInt8]] = [
        [0x49, 0x49, 0x2A, 0x00, 0x10, 0x00, 0x00, 0x00, 0x43, 0x52], Array("II\u{1A}\0\0\0HEAPCCDR".utf8),
        Array("IIRO".utf8), Array("IIRS".utf8), Array("MMOR".utf8), Array("IIU\0".utf8),
        Array("FUJIFILMCCD-RAW".utf8), Array("\0MRM".utf8), Array("FOVb".utf8),
    ]

    private static func container(_ start: [UInt8]) -> ForeignFile? {
        if rawStarts.contains(where: { start.starts(with: $0) }) { return raw }
        let tiff = "convert it: convert photo.tif photo.png; a raw file: darktable-cli photo.dng photo.jpg"
        let known: [([UInt8], String, String)] = [
            (Array("GIF8".utf8), "a GIF", "convert its first frame: convert 'photo.gif[0]' photo.png"),
            (Array("BM".utf8), "a BMP", "convert it: convert photo.bmp photo.png"),
            ([0x49, 0x49, 0x2A, 0x00], "a TIFF", tiff), ([0x4D, 0x4D, 0x00, 0x2A], "a TIFF", tiff),
            ([0x49, 0x49, 0x2B, 0x00], "a BigTIFF", tiff), ([0x4D, 0x4D, 0x00, 0x2B], "a BigTIFF", tiff),
            ([0x00, 0x00, 0x01, 0x00], "an icon", "convert it: convert 'icon.ico[0]' photo.png"),
            (Array("%PDF".utf8), "a PDF", "draw its page: pdftoppm -png -r 150 document.pdf photo"),
            (Array("%!PS".utf8), "a PostScript file", "draw its page: convert -density 150 page.eps photo.png"),
            (Array("gimp xcf".utf8), "a GIMP file", "export the picture from GIMP as PNG"),
            ([0x1A, 0x45, 0xDF, 0xA3], video.name, video.advice),
            (Array("8BPS".utf8), "a Photoshop file", "convert it: convert 'photo.psd[0]' photo.png"),
            (Array("PK".utf8), "a ZIP archive", "send the pictures in it, each by itself"),
            ([0x1F, 0x8B], "a gzip archive", "send the pictures in it, each by itself"),
        ]
        return (known + rarer).first { start.starts(with: $0.0) }.map { ForeignFile($0.1, $0.2) } ?? netpbm(start)
    }

    /// Of programs and measurements more than of cameras.
    private static let rarer: [([UInt8], String, String)] = [
        ([0x76, 0x2F, 0x31, 0x01], "an OpenEXR picture", "convert it: convert photo.exr photo.png"),
        (Array("#?R".utf8), "a Radiance picture", "convert it: convert photo.hdr photo.png"),
        (Array("qoif".utf8), "a QOI picture", "convert it: convert photo.qoi photo.png"),
        (Array("DDS ".utf8), "a DDS texture", "convert it: convert photo.dds photo.png"),
        (Array("icns".utf8), "an icon", "convert it: convert 'icon.icns[0]' photo.png"),
        ([0x8A, 0x4D, 0x4E, 0x47], "an MNG", "convert its first frame: convert 'photo.mng[0]' photo.png"),
        ([0x8B, 0x4A, 0x4E, 0x47], "a JNG", "convert it: convert photo.jng photo.png"),
        ([0x93, 0x4E, 0x55, 0x4D], "a NumPy array", "save it as a PNG: Image.fromarray(array).save('photo.png')"),
        ([0x37, 0x7A, 0xBC, 0xAF], "a 7z archive", "send the pictures in it, each by itself"),
        (Array("Rar!".utf8), "a RAR archive", "send the pictures in it, each by itself"),
        (Array("BZh".utf8), "a bzip2 archive", "send the pictures in it, each by itself"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an xz archive", "send the pictures in it, each by itself"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive", "send the pictures in it, each by itself"),
    ]

    /// PBM, PGM, PPM and PAM: a letter, a digit and a blank.
    private static func netpbm(_ start: [UInt8]) -> ForeignFile? {
        guard start.count > 2, start[0] == UInt8(ascii: "P"),
            (UInt8(ascii: "1")...UInt8(ascii: "7")).contains(start[1]), [0x0A, 0x0D, 0x20].contains(start[2])
        else { return nil }
        return ForeignFile("a Netpbm picture", "convert it: convert photo.pnm photo.png")
    }

    private static func text(_ start: [UInt8]) -> ForeignFile? {
        let text = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        let head = text.lowercased()
        if head.hasPrefix("version https://git-lfs") {
            return ForeignFile("a Git LFS pointer", "fetch the file it stands for: git lfs pull")
        }
        if head.hasPrefix("<") { return markup(head) }
        if head.hasPrefix("{"), head.dropFirst().first(where: { !$0.isWhitespace }) == "\"" {
            return ForeignFile("a text in JSON", serverAnswer)
        }
        if head.hasPrefix("data:") {
            return ForeignFile("a data: URL", "send what follows its comma, decoded once")
        }
        // Base64 of base64: of one of ours, or of a GIF.
        let twice = ["iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD"]
        if twice.contains(where: text.hasPrefix) {
            return ForeignFile("base64 of base64", "encode the file once")
        }
        return nil
    }

    private static let serverAnswer = "download the picture itself: servers answer in text where they cannot give it"

    /// Pages may have drawings in them, and drawings scripts: what comes first tells. Before it there may be comments
    /// and declarations.
    private static func markup(_ text: String) -> ForeignFile {
        func place(_ words: [String]) -> String.Index? {
            words.compactMap { text.firstRange(of: $0)?.lowerBound }.min()
        }
        let drawing = place(["<svg", "<!doctype svg"])
        if let page = place(["<!doctype html", "<html", "<head>", "<script", "<body"]), page < drawing ?? text.endIndex
        {
            return ForeignFile("a web page", "download the picture itself; the page may ask for a login")
        }
        if drawing != nil { return ForeignFile("an SVG", "draw it: rsvg-convert -w 1024 drawing.svg -o photo.png") }
        return ForeignFile("a text in XML", serverAnswer)
    }

    /// Plain words, as an address or a file's name is.
    private static func words(_ start: [UInt8]) -> ForeignFile? {
        let line = start.prefix(60)
        guard line.count > 3, line.allSatisfy({ (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }) else {
            return nil
        }
        let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return ForeignFile(
            "a text that begins \(words.clipped(to: 40))", "send the picture's own bytes, not its address or its name")
    }

    private static func unknown(_ start: [UInt8]) -> ForeignFile {
        if start.isEmpty { return ForeignFile("an empty file", "send the picture itself") }
        let digits = start.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        return ForeignFile("no picture: it begins with \(digits.joined(separator: " "))", "send the picture itself")
    }
}
