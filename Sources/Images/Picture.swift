/// An 8-bit RGB picture in memory: rows from top to bottom, pixels from left to right, `R G B` interleaved.
package struct Picture: Equatable, Sendable {
    /// Pixels of a row.
    package let width: Int
    /// Rows.
    package let height: Int
    /// `3 · width · height` bytes.
    package var pixels: [UInt8]

    /// - Precondition: `pixels` holds exactly `3 · width · height` bytes.
    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == 3 * width * height)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour.
    package init(width: Int, height: Int, filledWith colour: (UInt8, UInt8, UInt8)) {
        var pixels = [UInt8]()
        pixels.reserveCapacity(3 * width * height)
        for _ in 0..<(width * height) { pixels += [colour.0, colour.1, colour.2] }
        self.init(width: width, height: height, pixels: pixels)
    }
}
