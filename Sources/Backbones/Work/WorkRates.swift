import Autograd
import Images
import Layers
import Tensors

/// How much of each kind of work this host does a second: measured with the engine's own operations, at sizes that are
/// common in its models. All are done in turn again and again, and the best time of each counts: other programs and a
/// processor that begins slowly only add to it.
package struct WorkRates {
    /// A piece of work, and how much of its kind it is.
    private struct Sample {
        let kind: Work.Kind
        let amount: Double
        let precision: MatrixPrecision
        let run: () -> Void
        var best = Double.infinity

        mutating func take() {
            let time = MatrixPrecision.$current.withValue(precision) { ContinuousClock().measure(run) }
            best = min(best, max(time / .seconds(1), 1e-9))
        }
    }

    private static let tokens = 256, width = 256, heads = 8

    package init() {}

    /// By `Work.Kind`'s names.
    /// - Parameter rounds: how often each is done.
    package func measured(rounds: Int = 40) -> [String: Double] {
        var samples = samples
        for _ in 0..<rounds { for index in samples.indices { samples[index].take() } }
        var rates = Dictionary(uniqueKeysWithValues: samples.map { ($0.kind, $0.amount / $0.best) })
        // A pass of attention is products too.
        for (scores, products) in [(Work.Kind.scores, Work.Kind.products), (.roundedScores, .roundedProducts)] {
            guard let sample = samples.first(where: { $0.kind == scores }) else { continue }
            let multiplied = 4 * sample.amount / Double(Self.heads) * Double(Self.width) / rates[products]!
            rates[scores] = sample.amount / max(sample.best - multiplied, sample.best / 4)
        }
        return Dictionary(uniqueKeysWithValues: rates.map { ($0.key.rawValue, $0.value) })
    }

    private var samples: [Sample] {
        [
            products(.products, .single), products(.roundedProducts, .bfloat16),
            convolutions(.convolutions, .single), convolutions(.roundedConvolutions, .bfloat16),
            scores(.scores, .single), scores(.roundedScores, .bfloat16), bytes, weights, calls, choices, pixels,
        ]
    }

    /// Tokens through a layer of [4·C, C].
    private func products(_ kind: Work.Kind, _ precision: MatrixPrecision) -> Sample {
        let (rows, width) = (Self.tokens, Self.width)
        let x = Self.numbers([rows, width])
        let w = Self.numbers([4 * width, width])
        return Sample(kind: kind, amount: Double(2 * rows * 4 * width * width), precision: precision) {
            _ = Linear().apply([x, w])
        }
    }

    /// Four maps of 64 channels and 16 × 16 positions.
    private func convolutions(_ kind: Work.Kind, _ precision: MatrixPrecision) -> Sample {
        let x = Self.numbers([4, 64, 16, 16])
        let w = Self.numbers([64, 64, 3, 3])
        return Sample(kind: kind, amount: Double(2 * 4 * 256 * 64 * 9 * 64), precision: precision) {
            _ = Convolution(stride: 1, padding: .around(1)).apply([x, w])
        }
    }

    /// Two samples.
    private func scores(_ kind: Work.Kind, _ precision: MatrixPrecision) -> Sample {
        let x = Self.numbers([2, Self.tokens, 3 * Self.width])
        let amount = Double(2 * Self.tokens * Self.tokens * Self.heads)
        return Sample(kind: kind, amount: amount, precision: precision) {
            _ = Attention(heads: Self.heads, layout: .packed, logitScale: 1).apply([x])
        }
    }

    /// A norm, an activation and a sum over 512 KiB.
    private var bytes: Sample {
        let (rows, width) = (512, Self.width)
        let x = Self.numbers([rows, width])
        let gain = Self.numbers([width])
        return Sample(kind: .bytes, amount: Double(4 * rows * width * 6), precision: .single) {
            _ = x + GELU().apply([RMSNorm(epsilon: 1e-6).apply([x, gain])])
        }
    }

    /// Two rows through 128 MiB of weights.
    private var weights: Sample {
        let (rows, columns) = (16_384, 4096)
        let memory = Tensor(repeating: 0.1, shape: [rows, columns / 2])
        let words = UnsafeRawBufferPointer(start: memory.pointer, count: 4 * memory.count)
        let matrix = MappedMatrix(bfloat16: words, rows: rows, columns: columns, owner: memory.storage)!
        let (x, y) = (Tensor(repeating: 0.1, shape: [2, columns]), Tensor(uninitialized: [2, rows]))
        return Sample(kind: .weights, amount: Double(words.count), precision: .single) {
            project(x.pointer, by: matrix, into: y.pointer, m: 2)
        }
    }

    /// Operations that have next to nothing to do.
    private var calls: Sample {
        let (x, w) = (Self.numbers([1, 8]), Self.numbers([8, 8]))
        return Sample(kind: .calls, amount: 300, precision: .single) {
            for _ in 0..<100 { _ = GELU().apply([Linear().apply([x, w]) + x]) }
        }
    }

    /// Codes, each chosen from a thousand by its logits.
    private var choices: Sample {
        let logits = (0..<1000).map { Float($0 % 37) / 37 }
        let sampling = CodeSampling(guidance: 1, topK: 1000, temperature: 1, seeds: [1])
        return Sample(kind: .choices, amount: 20_000, precision: .single) {
            var choice = CodeChoice(sampling, seed: 1)
            for _ in 0..<20 { _ = choice.choose(logits) }
        }
    }

    /// A picture of 128 × 128 pixels, smooth and a little noisy, as models draw them.
    private var pixels: Sample {
        let side = 128
        var noise: UInt32 = 1
        let values = (0..<3 * side * side).map { place -> UInt8 in
            noise = noise &* 1_664_525 &+ 1_013_904_223
            return UInt8(place / 3 % side + place / (3 * side) / 2 + Int(noise >> 28))
        }
        let picture = Picture(width: side, height: side, pixels: values)
        return Sample(kind: .pixels, amount: Double(values.count), precision: .single) { _ = try? picture.png() }
    }

    private static func numbers(_ shape: [Int]) -> Variable { Variable(Tensor(repeating: 0.1, shape: shape)) }
}
