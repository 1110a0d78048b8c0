/// Picture resizing exactly as Pillow's `BICUBIC` computes it (Resample.c), which the preprocessing of published
/// encoders uses: Keys's cubic of a = −0.5, its support widened where the picture shrinks, two passes (rows, then
/// columns) with bytes in between, and weights in fixed point.
private struct BicubicFilter {
    private static let fractionBits = 22

    /// For every target sample, the first source sample and the fixed-point weights from there on.
    private let taps: [(start: Int, weights: [Int])]

    init(from size: Int, to target: Int) {
        let scale = Double(size) / Double(target)
        let widening = max(scale, 1)
        let support = 2 * widening
        let narrowing = 1 / widening
        taps = (0..<target).map { index in
            let centre = (Double(index) + 0.5) * scale
            let start = max(Int(centre - support + 0.5), 0)
            let end = min(Int(centre + support + 0.5), size)
            let weights = (start..<end).map { BicubicFilter.cubic((Double($0) - centre + 0.5) * narrowing) }
            let sum = weights.reduce(0, +)
            return (
                start,
                weights.map {
                    Int(($0 / sum * Double(1 << BicubicFilter.fractionBits)).rounded(.toNearestOrAwayFromZero))
                }
            )
        }
    }

    private static func cubic(_ x: Double) -> Double {
        let a = -0.5
        let x = abs(x)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }

    /// Filters `lines` lines of interleaved RGB, along steps of `step` bytes, into lines of as many steps of
    /// `targetStep` bytes.
    func apply(
        _ source: UnsafePointer<UInt8>, line: Int, step: Int, lines: Int, into target: UnsafeMutablePointer<UInt8>,
        targetLine: Int, targetStep: Int
    ) {
        for number in 0..<lines {
            for (index, tap) in taps.enumerated() {
                for channel in 0..<3 {
                    var sum = 1 << (BicubicFilter.fractionBits - 1)
                    var at = number * line + tap.start * step + channel
                    for weight in tap.weights {
                        sum += weight * Int(source[at])
                        at += step
                    }
                    target[number * targetLine + index * targetStep + channel] = UInt8(
                        min(max(sum >> BicubicFilter.fractionBits, 0), 255))
                }
            }
        }
    }
}

extension Picture {
    /// The whole picture at another size, by Pillow's antialiased bicubic filter, byte for byte.
    package func resizedBicubically(width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(newWidth > 0 && newHeight > 0)
        let across =
            newWidth == width
            ? self : filtered(BicubicFilter(from: width, to: newWidth), width: newWidth, height: height)
        return newHeight == height
            ? across : across.filtered(BicubicFilter(from: height, to: newHeight), width: newWidth, height: newHeight)
    }

    /// One pass, along the side that changes.
    private func filtered(_ filter: BicubicFilter, width newWidth: Int, height newHeight: Int) -> Picture {
        var result = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
        pixels.withUnsafeBufferPointer { source in
            result.withUnsafeMutableBufferPointer { target in
                let (from, to) = (source.baseAddress!, target.baseAddress!)
                if newHeight == height {
                    filter.apply(
                        from, line: 3 * width, step: 3, lines: height, into: to, targetLine: 3 * newWidth, targetStep: 3
                    )
                } else {
                    filter.apply(
                        from, line: 3, step: 3 * width, lines: width, into: to, targetLine: 3, targetStep: 3 * width)
                }
            }
        }
        return Picture(width: newWidth, height: newHeight, pixels: result)
    }
}
