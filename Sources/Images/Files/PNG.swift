import CPNG
import Foundation
import Jobs

extension Picture {
    /// Decodes a PNG of any kind (1–16 bits, grey, palette, alpha, interlaced) as ``DecodedPicture`` does, and no
    /// other format: Atelier's own pictures are PNGs.
    /// - Throws: `PictureError`, before any pixel memory is taken when the file is larger than `limits`.
    package init(
        png data: [UInt8], limits: PictureLimits = PictureLimits(), background: (UInt8, UInt8, UInt8) = (255, 255, 255)
    ) throws(PictureError) {
        if data.count <= limits.bytes, PictureFormat(data) != .png { _ = try PNGOutline(data) }
        self = try DecodedPicture(data, limits: limits, background: background).picture
    }

    /// Reads a PNG file.
    /// - Throws: `PictureError`, before anything is read when it is not a regular file or larger than `limits`.
    package init(pngFile path: String, limits: PictureLimits = PictureLimits()) throws(PictureError) {
        try self.init(png: FileBytes.read(path, limits), limits: limits)
    }

    /// The picture as an 8-bit RGB PNG; equal pictures give equal bytes.
    package func png() throws(PictureError) -> [UInt8] {
        var sink = atelier_png_sink()
        defer { free(sink.bytes) }
        guard atelier_png_encode(&sink, UInt32(width), UInt32(height), pixels) else {
            throw .unwritable(PNGFile.text(&sink.message))
        }
        return Array(UnsafeMutableBufferPointer(start: sink.bytes, count: sink.count))
    }

    /// Writes the PNG under a temporary name and renames it into place.
    package func writePNG(_ path: String) throws {
        try Data(png()).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

/// A PNG file.
struct PNGFile: PictureFile {
    let format = PictureFormat.png
    private let data: [UInt8]
    private let outline: PNGOutline

    init(_ data: [UInt8]) throws(PictureError) {
        outline = try PNGOutline(data)
        self.data = data
    }

    var width: Int { outline.width }
    var height: Int { outline.height }
    var isGrey: Bool { outline.isGrey }
    var orientation: Orientation { outline.says.camera.orientation ?? .upright }

    /// Of several chunks the first of cICP, iCCP, sRGB and gAMA counts (PNG, third edition, 4.3), and of code points
    /// only those that are known where there is a profile too.
    var colours: SourceColours {
        let profile = outline.says.profile
        if let coded = outline.says.coded, coded.areKnown || profile == nil { return .coded(coded) }
        if let profile { return .profile(profile) }
        if outline.says.isSRGB { return .sRGB }
        let says = outline.says
        guard says.gamma != nil || says.primaries != nil else { return says.camera.isAdobeRGB ? .adobeRGB : .sRGB }
        // Whoever says one of the two means sRGB's other.
        let (gamma, primaries) = (says.gamma ?? 1 / 2.2, says.primaries ?? .sRGB)
        // What everybody writes who means sRGB.
        return abs(gamma - 1 / 2.2) < 0.001 && primaries.isSRGB ? .sRGB : .measured(primaries, gamma: gamma)
    }

    var warnings: [String] { outline.says.animation.map { [$0] } ?? [] }

    func raster() throws(PictureError) -> Raster {
        try outline.requireWhole()
        let isWide = outline.depth == 16
        var raster = Raster(width: width, height: height, samples: isWide ? .wideRGBA : .rgba)
        let (columns, rows) = (UInt32(width), UInt32(height))
        let failure: String? = data.withUnsafeBytes { bytes in
            var source = Self.source(bytes)
            let succeeded = atelier_png_decode(&source, columns, rows, isWide ? 16 : 8, &raster.bytes)
            return succeeded ? nil : Self.text(&source.message)
        }
        if let failure { throw .damaged(.png, failure) }
        return raster
    }

    private static func source(_ bytes: UnsafeRawBufferPointer) -> atelier_png_source {
        var source = atelier_png_source()
        source.at = bytes.bindMemory(to: UInt8.self).baseAddress
        source.left = bytes.count
        return source
    }

    /// The text in a C array of characters.
    static func text<Characters>(_ characters: inout Characters) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
