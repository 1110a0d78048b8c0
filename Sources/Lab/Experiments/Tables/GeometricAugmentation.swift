import Foundation
import Images
import Randomness

/// References turned, mirrored and cropped at random: what Proxy-Tuning's table 7 puts in place of proxies (arXiv
/// 2503.10125: mirrored with a probability of 0.05, turned by up to 5 degrees, crops of 0.9 to 1).
struct GeometricAugmentation {
    private static let purpose: UInt64 = 0x6E0

    let seed: UInt64

    /// `count` pictures of the references, in turn.
    func pictures(of references: [Picture], count: Int) -> [Picture] {
        (0..<count).map { index in
            var generator = Philox(seed: seed, purpose: GeometricAugmentation.purpose, index: UInt64(index))
            let isMirrored = generator.uniform() < 0.05
            let angle = (2 * generator.uniform() - 1) * 5 * Float.pi / 180
            let share = 0.9 + 0.1 * generator.uniform()
            let (right, down) = (2 * generator.uniform() - 1, 2 * generator.uniform() - 1)
            return moved(
                references[index % references.count], isMirrored: isMirrored, angle: angle, share: share,
                by: (right, down))
        }
    }

    /// A share of the picture turned around its middle, read between pixels; what lies outside is the edge.
    /// - Parameter place: where the share is, from −1 to 1: as far left or up as it can be, and right or down.
    private func moved(
        _ picture: Picture, isMirrored: Bool, angle: Float, share: Float, by place: (x: Float, y: Float)
    ) -> Picture {
        var result = picture
        let middle = (x: Float(picture.width - 1) / 2, y: Float(picture.height - 1) / 2)
        let centre = (x: middle.x * (1 + place.x * (1 - share)), y: middle.y * (1 + place.y * (1 - share)))
        let (cosine, sine) = (cos(angle) * share, sin(angle) * share)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let (dx, dy) = ((Float(x) - middle.x) * (isMirrored ? -1 : 1), Float(y) - middle.y)
                let source = (x: centre.x + cosine * dx - sine * dy, y: centre.y + sine * dx + cosine * dy)
                for channel in 0..<3 {
                    result.pixels[(y * picture.width + x) * 3 + channel] = picture.value(at: source, channel)
                }
            }
        }
        return result
    }
}

extension Picture {
    /// A channel between pixels, linearly.
    fileprivate func value(at place: (x: Float, y: Float), _ channel: Int) -> UInt8 {
        let x = min(max(place.x, 0), Float(width - 1))
        let y = min(max(place.y, 0), Float(height - 1))
        let (left, top) = (Int(x), Int(y))
        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
        func pixel(_ x: Int, _ y: Int) -> Float { Float(pixels[(y * width + x) * 3 + channel]) }
        let (shareX, shareY) = (x - Float(left), y - Float(top))
        let upper = pixel(left, top) * (1 - shareX) + pixel(right, top) * shareX
        let lower = pixel(left, bottom) * (1 - shareX) + pixel(right, bottom) * shareX
        return UInt8((upper * (1 - shareY) + lower * shareY).rounded())
    }
}
