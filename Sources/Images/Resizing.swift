extension Picture {
    /// The whole picture at another size: area averaging where it shrinks, bilinear (half-pixel centres) where it
    /// grows.
    package func resized(width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(newWidth > 0 && newHeight > 0)
        if newWidth == width && newHeight == height { return self }
        let rows = Picture.taps(from: height, to: newHeight)
        let columns = Picture.taps(from: width, to: newWidth)
        var narrowed = [Float](repeating: 0, count: height * newWidth * 3)
        for y in 0..<height {
            for x in 0..<newWidth {
                for (source, weight) in columns[x] {
                    for c in 0..<3 {
                        narrowed[(y * newWidth + x) * 3 + c] += weight * Float(pixels[(y * width + source) * 3 + c])
                    }
                }
            }
        }
        var result = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
        for y in 0..<newHeight {
            for index in 0..<newWidth * 3 {
                var sum: Float = 0
                for (source, weight) in rows[y] { sum += weight * narrowed[source * newWidth * 3 + index] }
                result[y * newWidth * 3 + index] = UInt8(min(max(sum + 0.5, 0), 255))
            }
        }
        return Picture(width: newWidth, height: newHeight, pixels: result)
    }

    /// Scaled to cover a size, and cut to it around its middle.
    package func filling(width newWidth: Int, height newHeight: Int) -> Picture {
        covering(width: newWidth, height: newHeight).centreCropped(width: newWidth, height: newHeight)
    }

    /// Scaled, keeping its proportions, until it just covers a size.
    package func covering(width newWidth: Int, height newHeight: Int) -> Picture {
        width * newHeight < height * newWidth
            ? resized(width: newWidth, height: max(newHeight, (height * newWidth + width / 2) / width))
            : resized(width: max(newWidth, (width * newHeight + height / 2) / height), height: newHeight)
    }

    /// The middle of the picture.
    /// - Precondition: it is at least that large.
    package func centreCropped(width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(newWidth <= width && newHeight <= height)
        return cropped(left: (width - newWidth) / 2, top: (height - newHeight) / 2, width: newWidth, height: newHeight)
    }

    /// A part of the picture.
    /// - Precondition: it lies wholly inside.
    package func cropped(left: Int, top: Int, width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(left >= 0 && top >= 0 && left + newWidth <= width && top + newHeight <= height)
        var result = [UInt8]()
        result.reserveCapacity(3 * newWidth * newHeight)
        for y in top..<top + newHeight { result += pixels[3 * (y * width + left)..<3 * (y * width + left + newWidth)] }
        return Picture(width: newWidth, height: newHeight, pixels: result)
    }

    /// Weights of source samples per target sample.
    private static func taps(from size: Int, to target: Int) -> [[(Int, Float)]] {
        let ratio = Float(size) / Float(target)
        return (0..<target).map { i in
            if ratio <= 1 {
                let position = max((Float(i) + 0.5) * ratio - 0.5, 0)
                let low = min(Int(position), size - 1)
                let t = position - Float(low)
                return [(low, 1 - t), (min(low + 1, size - 1), t)]
            }
            let start = Float(i) * ratio
            let end = start + ratio
            return (Int(start)...min(Int(end), size - 1)).compactMap { source in
                let overlap = min(end, Float(source + 1)) - max(start, Float(source))
                return overlap > 0 ? (source, overlap / ratio) : nil
            }
        }
    }
}
