import Images
import Randomness

/// Random resize and centre crop of reference pictures (ARBooth section 5.1), never beyond a reference's own pixels:
/// enlarging a picture that is no larger than the model's blurs it, and the model would learn the blur (*ours*).
package struct ReferenceAugmentation {
    let size: Int
    let largestZoom: Float

    /// - Parameter size: pixels on a side of the model's pictures.
    package init(size: Int, largestZoom: Float) {
        self.size = size
        self.largestZoom = largestZoom
    }

    /// Whether a picture is cut another way every time.
    func varies(_ picture: Picture) -> Bool { largestZoom > 1 && min(picture.width, picture.height) > size }

    /// A square of `size`, enlarged by a random factor from 1 to largestZoom, or to what its pixels give, before the
    /// centre is cut out.
    package func callAsFunction(_ picture: Picture, _ generator: inout Philox) -> Picture {
        self(picture, from: PictureOrigin(middleOf: picture), &generator).picture
    }

    /// The same, with what is left of where the picture was cut from.
    package func callAsFunction(
        _ picture: Picture, from origin: PictureOrigin, _ generator: inout Philox
    ) -> (picture: Picture, origin: PictureOrigin) {
        let sharpest = max(1, Float(min(picture.width, picture.height)) / Float(size))
        let zoom = 1 + (min(largestZoom, sharpest) - 1) * generator.uniform()
        let side = max(size, Int((Float(size) * zoom).rounded()))
        return (
            picture.fitted(shorterSide: side).centreCropped(width: size, height: size),
            origin.middle(Double(size) / Double(side))
        )
    }
}
