import Images
import Tensors

/// How many pictures are computed side by side where each takes much memory. By their sizes alone and never by the
/// host's memory: a picture depends on those beside it by rounding, and a job's are to be the same everywhere.
enum PicturesTogether {
    /// What pictures are held to that are computed together (*ours*).
    struct Limits: Sendable {
        /// Of keys and values.
        var cacheBytes = 6 << 30
        /// Of pictures that are decoded, or encoded: the widest results on the way are a hundred times their picture.
        var pixels = 1 << 20
    }

    @TaskLocal static var limits = Limits()

    /// Pictures that are drawn together, one at least.
    /// - Parameter bytes: of one's keys and values, guidance included.
    static func drawn(each bytes: Int) -> Int { max(1, limits.cacheBytes / max(1, bytes)) }

    /// Pictures of so many pixels that are decoded together, or encoded, one at least.
    static func decoded(each pixels: Int) -> Int { max(1, limits.pixels / max(1, pixels)) }

    /// Pictures of so many pixels each, as many at a time as are decoded together: [B, 3, H, W] in [−1, 1] of those in
    /// a range.
    static func decoded(_ count: Int, each pixels: Int, by decode: (Range<Int>) -> Tensor) -> [Picture] {
        (0..<count).parts(of: decoded(each: pixels)).flatMap { decode($0).pictures() }
    }

    /// What an encoder makes of each of several pictures of one size, as many at a time as are decoded together:
    /// `encode` takes [B, 3, H, W] in [−1, 1].
    static func encoded<Value>(_ pictures: [Picture], by encode: (Tensor) -> [Value]) -> [Value] {
        let pixels = pictures.first.map { $0.width * $0.height } ?? 1
        return pictures.indices.parts(of: decoded(each: pixels)).flatMap { encode(.pictures(Array(pictures[$0]))) }
    }
}
