import Images
import Randomness

/// Random resize and centre crop of reference pictures (ARBooth section 5.1).
package struct ReferenceAugmentation {
    let size: Int
    let largestZoom: Float

    package init(size: Int, largestZoom: Float) {
        self.size = size
        self.largestZoom = largestZoom
    }

    /// A square of `size`, enlarged by a random factor in 1…largestZoom before the centre is cut out.
    package func callAsFunction(_ picture: Picture, _ generator: inout Philox) -> Picture {
        let zoom = 1 + (largestZoom - 1) * generator.uniform()
        return picture.fitted(shorterSide: max(size, Int((Float(size) * zoom).rounded()))).centreCropped(width: size, height: size)
    }
}
