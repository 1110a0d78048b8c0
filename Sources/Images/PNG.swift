import CPNG
import Foundation

/// A picture file that could not be read or written: what is wrong with it and what is allowed.
package enum PictureError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notPNG(String)
    case tooLarge(width: Int, height: Int, limit: PictureLimits)
    case tooManyBytes(Int, limit: Int)
    case malformed(String)
    case unwritable(String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .notPNG(let reason): "it is not a PNG file: \(reason)"
        case .tooLarge(let width, let height, let limit):
            "it is \(width)×\(height) pixels; at most \(limit.side) a side and \(limit.pixels) in all are allowed"
        case .tooManyBytes(let count, let limit): "it has \(count) bytes; at most \(limit) are allowed"
        case .malformed(let reason): "it is a damaged PNG file: \(reason)"
        case .unwritable(let reason): "it could not be written: \(reason)"
        }
    }
}

/// What a picture may cost before anything of it is decoded.
package struct PictureLimits: Equatable, Sendable {
    package var side: Int
    package var pixels: Int
    package var bytes: Int

    package init(side: Int = 8192, pixels: Int = 32 << 20, bytes: Int = 64 << 20) {
        (self.side, self.pixels, self.bytes) = (side, pixels, bytes)
    }
}

extension Picture {
    /// Decodes a PNG of any kind (1–16 bits, grey, palette, alpha, interlaced) to 8-bit RGB; transparency shows
    /// `background`, mixed as light mixes.
    /// - Throws: `PictureError`, before any pixel memory is taken when the file is larger than `limits`.
    package init(
        png data: [UInt8], limits: PictureLimits = PictureLimits(), background: (UInt8, UInt8, UInt8) = (255, 255, 255)
    ) throws(PictureError) {
        guard data.count <= limits.bytes else { throw .tooManyBytes(data.count, limit: limits.bytes) }
        let outline = try PNGOutline(data)
        let (width, height) = (outline.width, outline.height)
        guard width <= limits.side, height <= limits.side, width <= limits.pixels / height else {
            throw .tooLarge(width: width, height: height, limit: limits)
        }
        try outline.requireWhole()
        let result = data.withUnsafeBytes { Picture.decode($0, width: width, height: height, background: background) }
        self = try result.get()
    }

    /// Reads a PNG file.
    /// - Throws: `PictureError`, before anything is read when it is not a regular file or larger than `limits`.
    package init(pngFile path: String, limits: PictureLimits = PictureLimits()) throws(PictureError) {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        guard Int(status.st_size) <= limits.bytes else { throw .tooManyBytes(Int(status.st_size), limit: limits.bytes) }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "its contents do not come")
        }
        try self.init(png: [UInt8](data), limits: limits)
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, width: Int, height: Int, background: (UInt8, UInt8, UInt8)
    ) -> Result<Picture, PictureError> {
        var source = atelier_png_source()
        source.at = bytes.bindMemory(to: UInt8.self).baseAddress
        source.left = bytes.count
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        let succeeded = atelier_png_decode(
            &source, UInt32(width), UInt32(height), [background.0, background.1, background.2], &pixels)
        return succeeded
            ? .success(Picture(width: width, height: height, pixels: pixels))
            : .failure(.malformed(text(&source.message)))
    }

    /// The picture as an 8-bit RGB PNG; equal pictures give equal bytes.
    package func png() throws(PictureError) -> [UInt8] {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        image.width = UInt32(width)
        image.height = UInt32(height)
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        defer { png_image_free(&image) }
        var size = png_alloc_size_t(4096 + 4 * pixels.count)
        var bytes = [UInt8](repeating: 0, count: Int(size))
        let succeeded = bytes.withUnsafeMutableBytes {
            png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels, Int32(3 * width), nil)
        }
        guard succeeded != 0 else { throw .unwritable(Picture.text(&image.message)) }
        return Array(bytes.prefix(Int(size)))
    }

    /// Writes the PNG under a temporary name and renames it into place.
    package func writePNG(_ path: String) throws {
        try Data(png()).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// The text in a C array of characters.
    private static func text<Characters>(_ characters: inout Characters) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
