import Images
import Randomness

/// Random resize and centre crop of reference pictures (ARBooth section 5.1), never beyond a reference's own pixels:
/// enlarging a picture that is no larger than the model's blurs it, and the model would learn the blur (*ours*).
package struct ReferenceAugmentation {
    let size: Int
    let largestZoom: Float

    package init(size: Int, largestZoom: Float) {
        self.size = size
        self.largestZoom = largestZoom
    }

    /// A square of `size`, enlarged by a random factor from 1 to largestZoom, or to what its pixels give, before the
    /// centre is cut out.
    package func callAsFunction(_ picture: Picture, _ generator: inout Philox) -> Picture {
        let sharpest = max(1, Float(min(picture.width, picture.height)) / Float(size))
        let zoom = 1 + (min(largestZoom, sharpest) - 1) * generator.uniform()
        return picture.fitted(shorterSide: max(size, Int((Float(size) * zoom).rounded()))).centreCropped(
            width: size, height: size)
    }
}
