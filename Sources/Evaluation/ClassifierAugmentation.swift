import Randomness
import Tensors

/// What the classifier's training pictures suffer, so that it classifies a generated picture by what it shows and not
/// by how crisp it is: a shift of a few pixels, a blur as a small tokenizer leaves it, and faint noise.
package struct ClassifierAugmentation {
    /// Pixels, either way.
    private let largestShift = 2
    /// Passes of a 3×3 binomial filter; a third of the pictures stays crisp.
    private let mostBlur: Float = 3
    /// Half the width of uniform noise, of a range of 2; half of the pictures stay free of it.
    private let largestNoise: Float = 0.08

    private static let purpose: UInt64 = 0x4A

    package init() {}

    /// Changes [B, 3, H, W] in place. Picture b's changes depend on the seed and `first` + b alone.
    package func apply(to pictures: Tensor, seed: UInt64, first: Int) {
        parallel(pictures.shape[0], grain: 1) { range in
            for index in range {
                var generator = Philox(
                    seed: seed, purpose: ClassifierAugmentation.purpose, index: UInt64(first + index))
                change(pictures.slice(index..<index + 1), &generator)
            }
        }
    }

    /// [1, 3, H, W].
    private func change(_ picture: Tensor, _ generator: inout Philox) {
        let (height, width) = (picture.shape[2], picture.shape[3])
        let values = picture.pointer
        let dx = generator.below(2 * largestShift + 1) - largestShift
        let dy = generator.below(2 * largestShift + 1) - largestShift
        let blur = max(0, 1.5 * generator.uniform() - 0.5) * mostBlur
        let noise = max(0, 2 * generator.uniform() - 1) * largestNoise
        for channel in 0..<3 {
            let plane = values + channel * height * width
            shift(plane, height: height, width: width, dx: dx, dy: dy)
            for pass in 0..<Int(blur.rounded(.up)) {
                soften(plane, height: height, width: width, strength: min(blur - Float(pass), 1))
            }
        }
        if noise > 0 { for i in 0..<3 * height * width { values[i] += noise * (2 * generator.uniform() - 1) } }
    }

    /// Moves a plane; what comes in repeats the edge.
    private func shift(_ plane: UnsafeMutablePointer<Float>, height: Int, width: Int, dx: Int, dy: Int) {
        Array(UnsafeBufferPointer(start: plane, count: height * width)).withUnsafeBufferPointer { source in
            for y in 0..<height {
                let row = min(max(y - dy, 0), height - 1) * width
                for x in 0..<width { plane[y * width + x] = source[row + min(max(x - dx, 0), width - 1)] }
            }
        }
    }

    /// One pass of the binomial filter (1 2 1)/4 along rows and columns; a strength below 1 mixes it with the plane as
    /// it was.
    private func soften(_ plane: UnsafeMutablePointer<Float>, height: Int, width: Int, strength: Float) {
        for y in 0..<height { filter(plane + y * width, count: width, step: 1, share: strength / 4) }
        for x in 0..<width { filter(plane + x, count: height, step: width, share: strength / 4) }
    }

    private func filter(_ start: UnsafeMutablePointer<Float>, count: Int, step: Int, share: Float) {
        var before = start[0]
        for i in 0..<count {
            let here = start[i * step]
            let after = start[min(i + 1, count - 1) * step]
            start[i * step] = here + share * (before - 2 * here + after)
            before = here
        }
    }
}
