/// How a camera was held: what must be done with stored rows so that the picture stands upright (EXIF 2.32, 4.6.4.A).
enum Orientation: Int {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case upsideDownMirrored = 4
    case transposed = 5
    case turnedLeft = 6
    case transversed = 7
    case turnedRight = 8

    /// Whether rows become columns.
    var swapsSides: Bool { rawValue >= 5 }
}

extension Picture {
    /// The picture as it stands upright.
    func turned(_ orientation: Orientation) -> Picture {
        if orientation == .upright { return self }
        let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
        var result = [UInt8](repeating: 0, count: pixels.count)
        // Where the stored place of the new one's first pixel is, and how far each step to the right and down leads.
        let (origin, right, down) = steps(of: orientation)
        pixels.withUnsafeBufferPointer { old in
            result.withUnsafeMutableBufferPointer { new in
                for y in 0..<newHeight {
                    var source = 3 * (origin + y * down)
                    for target in stride(from: 3 * y * newWidth, to: 3 * (y + 1) * newWidth, by: 3) {
                        (new[target], new[target + 1], new[target + 2]) = (
                            old[source], old[source + 1], old[source + 2]
                        )
                        source += 3 * right
                    }
                }
            }
        }
        return Picture(width: newWidth, height: newHeight, pixels: result)
    }

    private func steps(of orientation: Orientation) -> (origin: Int, right: Int, down: Int) {
        let (lastColumn, lastRow) = (width - 1, (height - 1) * width)
        switch orientation {
        case .upright: return (0, 1, width)
        case .mirrored: return (lastColumn, -1, width)
        case .upsideDown: return (lastRow + lastColumn, -1, -width)
        case .upsideDownMirrored: return (lastRow, 1, -width)
        case .transposed: return (0, width, 1)
        case .turnedLeft: return (lastRow, -width, 1)
        case .transversed: return (lastRow + lastColumn, -width, -1)
        case .turnedRight: return (lastColumn, width, -1)
        }
    }
}
