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
    func varies(_ picture: Picture, in shape: ModelDescription.Size? = nil) -> Bool {
        largestZoom > 1 && min(picture.width, picture.height) > shorter(shape)
    }

    /// The cuts there are of a picture with pixels to spare.
    package var cuts: Int { max(size, Int((Float(size) * largestZoom).rounded())) - size + 1 }

    /// The shorter side that a picture is resized to before its middle is cut out: the shape's, enlarged by a random
    /// factor from 1 to largestZoom, or to what its pixels give.
    /// - Parameter shape: what is cut out; a square of `size` where it is nil.
    package func side(of picture: Picture, in shape: ModelDescription.Size? = nil, _ generator: inout Philox) -> Int {
        let least = shorter(shape)
        let sharpest = max(1, Float(min(picture.width, picture.height)) / Float(least))
        let zoom = 1 + (min(largestZoom, sharpest) - 1) * generator.uniform()
        return max(least, Int((Float(least) * zoom).rounded()))
    }

    /// The shape in the middle of a picture whose shorter side is resized so: a square by areas, a shape of several by
    /// the filters of the authors of the model that has them, Lumina-mGPT.
    package func cut(_ picture: Picture, side: Int, in shape: ModelDescription.Size? = nil) -> Picture {
        guard let shape else {
            return picture.covering(width: side, height: side).centreCropped(width: size, height: size)
        }
        let least = shorter(shape)
        func enlarged(_ length: Int) -> Int { (length * side + least / 2) / least }
        return picture.coveringBicubically(width: enlarged(shape.width), height: enlarged(shape.height))
            .centreCropped(width: shape.width, height: shape.height)
    }

    /// What is left then of where the picture was cut from.
    package func cut(_ origin: PictureOrigin, side: Int, in shape: ModelDescription.Size? = nil) -> PictureOrigin {
        origin.middle(Double(shorter(shape)) / Double(side))
    }

    private func shorter(_ shape: ModelDescription.Size?) -> Int { shape.map { min($0.width, $0.height) } ?? size }
}
