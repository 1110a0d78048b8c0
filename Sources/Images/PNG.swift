import CPNG
import Foundation

/// A picture file that could not be read or written: what is wrong with it and what is allowed.
package enum PictureError: Error, Equatable, CustomStringConvertible {
    case notPNG
    case tooLarge(width: Int, height: Int, limit: PictureLimits)
    case tooManyBytes(Int, limit: Int)
    case malformed(String)
    case unwritable(String)

    package var description: String {
        switch self {
        case .notPNG: "it is not a PNG file (its first bytes are not a PNG signature and header)"
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
    /// Decodes a PNG of any kind (1–16 bits, grey, palette, alpha, interlaced) to 8-bit RGB; transparency shows `background`.
    ///
    /// Uses libpng's simplified interface, which reports errors by return value: no long jump crosses a Swift frame.
    /// - Throws: `PictureError`, before any pixel memory is taken when the file is larger than `limits`.
    package init(png data: [UInt8], limits: PictureLimits = PictureLimits(), background: (UInt8, UInt8, UInt8) = (255, 255, 255)) throws(PictureError) {
        guard data.count <= limits.bytes else { throw .tooManyBytes(data.count, limit: limits.bytes) }
        let (width, height) = try Picture.headerSize(data)
        guard width > 0, height > 0 else { throw .malformed("its size is \(width)×\(height)") }
        guard width <= limits.side, height <= limits.side, width * height <= limits.pixels else {
            throw .tooLarge(width: width, height: height, limit: limits)
        }
        let result = data.withUnsafeBytes { Picture.decode($0, width: width, height: height, background: background) }
        self = try result.get()
    }

    /// Reads a PNG file.
    package init(pngFile path: String, limits: PictureLimits = PictureLimits()) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw PictureError.malformed("\(path) cannot be read") }
        try self.init(png: [UInt8](data), limits: limits)
    }

    /// Width and height as the IHDR chunk claims them.
    private static func headerSize(_ data: [UInt8]) throws(PictureError) -> (Int, Int) {
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        guard data.count >= 33, Array(data[0..<8]) == signature, Array(data[12..<16]) == Array("IHDR".utf8) else { throw .notPNG }
        func number(_ at: Int) -> Int { data[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16), number(20))
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, width: Int, height: Int, background: (UInt8, UInt8, UInt8)
    ) -> Result<Picture, PictureError> {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(&image) }
        guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else { return .failure(.malformed(message(&image))) }
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        // Without this libpng takes 16-bit files for linear light; nearly all of them are sRGB.
        image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
        var colour = png_color(red: background.0, green: background.1, blue: background.2)
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        let succeeded = pixels.withUnsafeMutableBytes { png_image_finish_read(&image, &colour, $0.baseAddress, Int32(3 * width), nil) }
        guard succeeded != 0 else { return .failure(.malformed(message(&image))) }
        return .success(Picture(width: width, height: height, pixels: pixels))
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
        let succeeded = bytes.withUnsafeMutableBytes { png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels, Int32(3 * width), nil) }
        guard succeeded != 0 else { throw .unwritable(Picture.message(&image)) }
        return Array(bytes.prefix(Int(size)))
    }

    /// Writes the PNG under a temporary name and renames it into place.
    package func writePNG(_ path: String) throws {
        try Data(png()).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private static func message(_ image: inout png_image) -> String {
        withUnsafeBytes(of: &image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
