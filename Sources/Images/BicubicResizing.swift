/// Picture resizing exactly as Pillow computes it (Resample.c), which the preprocessing of published encoders and
/// Lumina-mGPT's uses: a kernel whose support is widened where the picture shrinks, two passes (rows, then columns, as
/// always before Pillow 13) with bytes in between, and weights in fixed point.
private struct PillowFilter {
    enum Kernel {
        /// Keys's cubic of a = −0.5.
        case bicubic
        /// The mean.
        case box

        var support: Double { self == .bicubic ? 2 : 0.5 }

        func callAsFunction(_ x: Double) -> Double {
            self == .bicubic ? PillowFilter.cubic(x) : x > -0.5 && x <= 0.5 ? 1 : 0
        }
    }

    private static let fractionBits = 22

    /// For every target sample, the first source sample and the fixed-point weights from there on.
    private let taps: [(start: Int, weights: [Int])]

    init(_ kernel: Kernel, from size: Int, to target: Int) {
        let scale = Double(size) / Double(target)
        let widening = max(scale, 1)
        let support = kernel.support * widening
        let narrowing = 1 / widening
        taps = (0..<target).map { index in
            let centre = (Double(index) + 0.5) * scale
            let start = max(Int(centre - support + 0.5), 0)
            let end = min(Int(centre + support + 0.5), size)
            let weights = (start..<end).map { kernel((Double($0) - centre + 0.5) * narrowing) }
            let sum = weights.reduce(0, +)
            return (
                start,
                weights.map {
                    Int(($0 / sum * Double(1 << PillowFilter.fractionBits)).rounded(.toNearestOrAwayFromZero))
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
                    var sum = 1 << (PillowFilter.fractionBits - 1)
                    var at = number * line + tap.start * step + channel
                    for weight in tap.weights {
                        sum += weight * Int(source[at])
                        at += step
                    }
                    target[number * targetLine + index * targetStep + channel] = UInt8(
                        min(max(sum >> PillowFilter.fractionBits, 0), 255))
                }
            }
        }
    }
}

extension Picture {
    /// The whole picture at another size, by Pillow's antialiased bicubic filter, byte for byte.
    package func resizedBicubically(width newWidth: Int, height newHeight: Int) -> Picture {
        filtered(.bicubic, width: newWidth, height: newHeight)
    }

    /// Half as large, by Pillow's `BOX`, as long as both sides are at least twice a size's; an odd side loses half a
    /// pixel.
    package func halved(downTo newWidth: Int, _ newHeight: Int) -> Picture {
        var picture = self
        while picture.width >= 2 * newWidth, picture.height >= 2 * newHeight {
            picture = picture.filtered(.box, width: picture.width / 2, height: picture.height / 2)
        }
        return picture
    }

    /// Scaled, keeping its proportions, until it just covers a size, as Lumina-mGPT's authors prepare what it learns
    /// (item_processor.py, `center_crop`): halved first, and by the bicubic filter what is left.
    package func coveringBicubically(width newWidth: Int, height newHeight: Int) -> Picture {
        let small = halved(downTo: newWidth, newHeight)
        let scale = max(Double(newWidth) / Double(small.width), Double(newHeight) / Double(small.height))
        func scaled(_ side: Int) -> Int { Int((Double(side) * scale).rounded(.toNearestOrEven)) }
        return small.resizedBicubically(
            width: max(newWidth, scaled(small.width)), height: max(newHeight, scaled(small.height)))
    }

    /// Scaled so, and cut to the size around its middle.
    package func fillingBicubically(width newWidth: Int, height newHeight: Int) -> Picture {
        coveringBicubically(width: newWidth, height: newHeight).centreCropped(width: newWidth, height: newHeight)
    }

    private func filtered(_ kernel: PillowFilter.Kernel, width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(newWidth > 0 && newHeight > 0)
        let across =
            newWidth == width
            ? self : filtered(PillowFilter(kernel, from: width, to: newWidth), width: newWidth, height: height)
        return newHeight == height
            ? across
            : across.filtered(PillowFilter(kernel, from: height, to: newHeight), width: newWidth, height: newHeight)
    }

    /// One pass, along the side that changes.
    private func filtered(_ filter: PillowFilter, width newWidth: Int, height newHeight: Int) -> Picture {
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
