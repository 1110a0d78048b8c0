import Jobs

/// What a picture file says of itself, before anything of it is decoded.
package struct PictureOutline: Equatable, Sendable {
    let format: PictureFormat
    /// As it stands upright.
    package let width, height: Int
    /// What is not learnt from of it, in words; nothing for nearly every file.
    package var warnings: [String] = []

    /// `a JPEG of 4032×3024`.
    package var description: String { "a \(format.rawValue) of \(width)×\(height)" }
}

/// A picture of a file, in sRGB and upright, and what was lost on the way.
package struct DecodedPicture: Equatable, Sendable {
    /// sRGB, upright, opaque.
    package let picture: Picture
    /// Of the file, with what decoding it warned of.
    package let outline: PictureOutline
}

extension DecodedPicture {
    /// Decodes a PNG, a JPEG or a WebP of any kind to 8-bit sRGB: turned upright as EXIF says, its colours converted
    /// from its profile's, transparency laid over `background`; of an animation the first picture.
    /// - Throws: `PictureError`, before any pixel memory is taken when the file is larger than `limits`.
    package init(
        _ data: [UInt8], limits: PictureLimits = PictureLimits(), background: (UInt8, UInt8, UInt8) = (255, 255, 255)
    ) throws(PictureError) {
        guard data.count <= limits.bytes else { throw .tooManyBytes(data.count, limit: limits.bytes) }
        switch PictureFormat(data) {
        case .png: self = try Self.decoded(PNGFile(data), limits, background)
        case .jpeg: self = try Self.decoded(JPEGFile(data), limits, background)
        case .webp: self = try Self.decoded(WebPFile(data), limits, background)
        case nil: throw .foreign(ForeignFile(data))
        }
    }

    /// Reads a picture's file.
    /// - Throws: `PictureError`, before anything is read when it is not a regular file or larger than `limits`.
    package init(file path: String, limits: PictureLimits = PictureLimits()) throws(PictureError) {
        try self.init(FileBytes.read(path, limits), limits: limits)
    }

    fileprivate static func decoded(
        _ file: some PictureFile, _ limits: PictureLimits, _ background: (UInt8, UInt8, UInt8)
    ) throws(PictureError) -> DecodedPicture {
        let (width, height) = (file.width, file.height)
        guard width <= limits.side, height <= limits.side, width <= limits.pixels / height else {
            throw .tooLarge(width: width, height: height, limit: limits)
        }
        guard min(width, height) >= limits.smallestSide else {
            throw .tooSmall(width: width, height: height, limit: limits)
        }
        var conversion = ColourConversion()
        let raster = conversion.convert(try file.raster(), from: file.colours, isGrey: file.isGrey)
        let picture = raster.flattened(over: background).turned(file.orientation)
        let outline = PictureOutline(
            format: file.format, width: picture.width, height: picture.height,
            warnings: file.warnings + conversion.warnings)
        return DecodedPicture(picture: picture, outline: outline)
    }
}
