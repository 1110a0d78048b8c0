import Jobs

/// A picture file that could not be read or written: what is wrong with it and what is allowed.
package enum PictureError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notPNG(String)
    case foreign(ForeignFile)
    case tooLarge(width: Int, height: Int, limit: PictureLimits)
    case tooSmall(width: Int, height: Int, limit: PictureLimits)
    case tooManyBytes(Int, limit: Int)
    case damaged(PictureFormat, String)
    case unwritable(String)

    /// What is wrong and what is allowed, as the end of a sentence that names the picture.
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .notPNG(let reason): "it is not a PNG file: \(reason)"
        case .foreign(let file): "\(file.name); \(file.advice)"
        case .tooLarge(let width, let height, let limit):
            "it is \(width)×\(height) pixels; at most \(limit.side) a side and \(limit.pixels) in all are allowed"
        case .tooSmall(let width, let height, let limit):
            "it is \(width)×\(height) pixels; at least \(limit.smallestSide) a side are needed"
        case .tooManyBytes(let count, let limit): "it has \(count) bytes; at most \(limit) are allowed"
        case .damaged(let format, let reason): "it is a damaged \(format.rawValue) file: \(reason)"
        case .unwritable(let reason): "it could not be written: \(reason)"
        }
    }
}

/// What a picture may cost before anything of it is decoded, and how small it may be.
package struct PictureLimits: Equatable, Sendable {
    /// Pixels on the longer side.
    package var side: Int
    /// Pixels in all.
    package var pixels: Int
    /// Bytes of the file.
    package var bytes: Int
    /// Of the shorter side.
    package var smallestSide: Int

    /// - Parameter pixels: as many as a telephone's camera of 50 megapixels makes.
    package init(side: Int = 16_384, pixels: Int = 48 << 20, bytes: Int = 64 << 20, smallestSide: Int = 1) {
        (self.side, self.pixels, self.bytes, self.smallestSide) = (side, pixels, bytes, smallestSide)
    }

    /// Of pictures to learn from or to measure by: a smaller one shows nothing.
    package static let reference = PictureLimits(smallestSide: 16)
}
