/// Where a square picture was cut from: what SDXL is told of a picture it learns from (Podell et al., arXiv 2307.01952,
/// section 2.2).
package struct PictureOrigin: Equatable, Sendable {
    /// Pixels of the whole picture.
    package let height, width: Int
    /// The square's corner in it, and its side, in pixels of the whole.
    package let top, left, side: Double

    private init(height: Int, width: Int, top: Double, left: Double, side: Double) {
        (self.height, self.width, self.top, self.left, self.side) = (height, width, top, left, side)
    }

    /// The square in the middle of a picture.
    package init(middleOf picture: Picture) {
        let side = min(picture.height, picture.width)
        self.init(
            height: picture.height, width: picture.width, top: Double((picture.height - side) / 2),
            left: Double((picture.width - side) / 2), side: Double(side))
    }

    /// The middle of the square, `share` of its side wide.
    package func middle(_ share: Double) -> PictureOrigin {
        let margin = side * (1 - share) / 2
        return PictureOrigin(
            height: height, width: width, top: top + margin, left: left + margin, side: side * share)
    }

    /// The square's corner once the whole picture is resized so that the square has `size` pixels a side.
    package func corner(size: Int) -> (top: Int, left: Int) {
        let scale = Double(size) / side
        return (Int((top * scale).rounded()), Int((left * scale).rounded()))
    }
}
