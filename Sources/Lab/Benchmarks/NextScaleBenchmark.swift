import Autograd
import Backbones
import Layers
import Randomness
import Tensors

/// Times the transformer of Infinity 2B drawing a picture of 256², guidance included, with random weights in bfloat16,
/// beside what the kernel of bfloat16 products reaches at the most in the same minutes. Text encoder and tokenizer are
/// not among it.
package struct NextScaleBenchmark {
    /// One line of JSON; rates are 10⁹ operations of products a second, attention's among them.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        /// Of the model's 32.
        let blocks: Int
        let pictures: Int
        let ms: Double
        let gflops: Double
        let peak_gflops: Double
        let share: Double
        /// Of all 32 blocks, from these.
        let ms_of_2b: Double
    }

    private static let promptTokens = 16
    private let transformer: InfinityTransformer
    private let weights: Weights

    /// Writes as many of the blocks as are wanted, and maps them.
    /// - Parameter folder: where the file of weights may lie meanwhile, 130 MB a block.
    /// - Throws: what the file system says.
    package init(blocks: Int, folder: String) throws {
        var configuration = InfinityStandIn.large.transformer
        (configuration.depth, configuration.blockChunks) = (blocks, 1)
        weights = try RandomWeights().mapped(in: folder) { _ = InfinityTransformer(configuration, $0) }
        transformer = InfinityTransformer(configuration, weights)
        try weights.verify()
        weights.train { _ in false }
    }

    /// - Parameters:
    ///   - pictures: drawn together.
    ///   - rounds: of which the best counts, products and pictures in turn.
    package func run(pictures: Int, rounds: Int) -> Figure {
        MatrixPrecision.$current.withValue(.bfloat16) {
            let clock = ContinuousClock()
            var (best, peak) = (Duration.seconds(3600), KernelPeak())
            for _ in 0..<rounds {
                peak.measure(clock)
                best = min(best, clock.measure { draw(pictures) })
            }
            return figure(pictures, seconds: best / .seconds(1), peak: peak.rate)
        }
    }

    private func draw(_ pictures: Int) {
        var noise = Philox(seed: 1, purpose: 0x4247, index: 0)
        let c = transformer.configuration
        let lengths = [Int](repeating: Self.promptTokens, count: pictures)
        let text = TextFeatures(
            values: Variable(Tensor(normal: [pictures * Self.promptTokens, c.textWidth], &noise)), lengths: lengths)
        let scales = [Float](repeating: 1, count: c.schedule.sides.count)
        let sampling = Sampling(
            guidance: scales.map { 3 * $0 }, temperature: scales, seeds: (0..<pictures).map(UInt64.init))
        Recording.withoutGradients { _ = transformer.generate(text, negative: nil, sampling: sampling) }
    }

    private func figure(_ pictures: Int, seconds: Double, peak: Double) -> Figure {
        var configuration = transformer.configuration
        func operations() -> Double {
            configuration.drawing(pictures, rows: 2 * pictures, text: Self.promptTokens)[.products] / 1e9
        }
        let (blocks, own) = (configuration.depth, operations())
        configuration.depth = InfinityStandIn.large.transformer.depth
        return Figure(
            blocks: blocks, pictures: pictures, ms: 1e3 * seconds, gflops: own / seconds, peak_gflops: peak,
            share: own / seconds / peak, ms_of_2b: 1e3 * seconds * operations() / own)
    }
}
