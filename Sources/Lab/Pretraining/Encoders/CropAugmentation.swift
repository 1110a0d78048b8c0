import Images
import Randomness

/// The views of a picture that self-distillation compares: random crops at a size, mirrored half of the time,
/// brightness and contrast changed a little. *Ours*: hues stay, for colours are what tells Little World's individuals
/// apart.
struct CropAugmentation {
    /// The share of the picture's area that a crop shows.
    let areas: ClosedRange<Float>
    /// Pixels on a side of the result.
    let side: Int
    private let largestChange: Float = 0.25

    init(areas: ClosedRange<Float>, side: Int) { (self.areas, self.side) = (areas, side) }

    func callAsFunction(_ picture: Picture, _ generator: inout Philox) -> Picture {
        let short = Float(min(picture.width, picture.height))
        let area = areas.lowerBound + (areas.upperBound - areas.lowerBound) * generator.uniform()
        let edge = max(Int((short * area.squareRoot()).rounded()), 1)
        let left = generator.below(picture.width - edge + 1)
        let top = generator.below(picture.height - edge + 1)
        var view = picture.cropped(left: left, top: top, width: edge, height: edge).resized(width: side, height: side)
        if generator.uniform() < 0.5 { view = view.mirrored() }
        let brightness = 1 + largestChange * (2 * generator.uniform() - 1)
        let contrast = 1 + largestChange * (2 * generator.uniform() - 1)
        view.recolour(brightness: brightness, contrast: contrast)
        return view
    }
}

extension Picture {
    /// Left and right exchanged.
    fileprivate func mirrored() -> Picture {
        var result = self
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 { result.pixels[3 * (y * width + x) + c] = pixels[3 * (y * width + width - 1 - x) + c] }
            }
        }
        return result
    }

    /// Every byte times `brightness`, then its distance to mid-grey times `contrast`.
    fileprivate mutating func recolour(brightness: Float, contrast: Float) {
        let table = (0..<256).map { UInt8(min(max((Float($0) * brightness - 128) * contrast + 128.5, 0), 255)) }
        for index in pixels.indices { pixels[index] = table[Int(pixels[index])] }
    }
}
