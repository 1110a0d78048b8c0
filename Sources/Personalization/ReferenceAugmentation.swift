import Images
import Jobs
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
    /// - Parameter shape: what is cut out; a square of `size` unless given.
    package func callAsFunction(
        _ picture: Picture, from origin: PictureOrigin, in shape: ModelDescription.Size? = nil,
        _ generator: inout Philox
    ) -> (picture: Picture, origin: PictureOrigin) {
        let shape = shape ?? ModelDescription.Size(width: size, height: size)
        let least = min(shape.width, shape.height)
        let sharpest = max(1, Float(min(picture.width, picture.height)) / Float(least))
        let zoom = 1 + (min(largestZoom, sharpest) - 1) * generator.uniform()
        let side = max(least, Int((Float(least) * zoom).rounded()))
        func enlarged(_ length: Int) -> Int { (length * side + least / 2) / least }
        return (
            picture.covering(width: enlarged(shape.width), height: enlarged(shape.height))
                .centreCropped(width: shape.width, height: shape.height),
            origin.middle(Double(least) / Double(side))
        )
    }
}
