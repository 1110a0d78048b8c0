import Autograd
import Engine
import Layers
import Randomness
import Tensors

/// Times one forward pass and one training step (forward and backward) of a pre-norm transformer stack: self-attention,
/// cross-attention to a short context and a 4x GELU feed-forward, in single precision and with products in bfloat16.
/// The same work in the same order as the peer's program, so that both can stand side by side.
package struct StepBenchmark {
    /// The stack's sizes; tokens and context are per sample.
    package struct Sizes {
        let width, depth, heads, tokens, batch, context: Int

        /// - Precondition: the heads divide the width.
        package init(width: Int, depth: Int, heads: Int, tokens: Int, batch: Int, context: Int) {
            self.width = width
            self.depth = depth
            self.heads = heads
            self.tokens = tokens
            self.batch = batch
            self.context = context
        }
    }

    /// What one mode took in one precision: the best of the rounds, and the process's peak memory so far.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let mode: String
        let precision: BenchmarkPrecision
        let ms: Double
        let rss_mb: Int
    }

    private let blocks: [BenchmarkBlock]
    private let weights: Weights
    private let x: Variable
    private let context: Variable

    /// Fresh weights, and inputs drawn by a fixed seed.
    package init(_ sizes: Sizes) {
        let weights = Weights(.fresh(seed: 1))
        blocks = (0..<sizes.depth).map {
            BenchmarkBlock(weights, "blocks.\($0)", width: sizes.width, heads: sizes.heads)
        }
        weights.train { _ in true }
        self.weights = weights
        x = Variable(StepBenchmark.normal([sizes.batch, sizes.tokens, sizes.width], index: 0))
        context = Variable(StepBenchmark.normal([sizes.batch, sizes.context, sizes.width], index: 1))
    }

    /// In each precision the best of `rounds` forward passes, then the best of as many training steps.
    package func run(rounds: Int) -> [Figure] {
        BenchmarkPrecision.allCases.flatMap { precision in
            MatrixPrecision.$current.withValue(precision.products) {
                [
                    figure("forward", precision, rounds) { Recording.withoutGradients { _ = output() } },
                    figure("train", precision, rounds) { trainingStep() },
                ]
            }
        }
    }

    private func trainingStep() {
        for parameter in weights.parameters { parameter.clearGradient() }
        let y = output()
        Mean().apply([y * y]).backward()
    }

    private func output() -> Variable { blocks.reduce(x) { $1($0, context: context) } }

    private func figure(
        _ mode: String, _ precision: BenchmarkPrecision, _ rounds: Int, _ body: () -> Void
    ) -> Figure {
        let clock = ContinuousClock()
        let best = (0..<max(rounds, 1)).map { _ in clock.measure(body) }.min()!
        return Figure(
            mode: mode, precision: precision, ms: best / .milliseconds(1), rss_mb: StepBenchmark.peakMemory)
    }

    private static func normal(_ shape: [Int], index: UInt64) -> Tensor {
        var generator = Philox(seed: 1, purpose: 0x4245, index: index)
        return Tensor(normal: shape, &generator)
    }

    /// What was resident at a time, the most so far, in MiB.
    static var peakMemory: Int { ProcessMemory.peakBytes >> 20 }
}

/// One block of the measured stack.
private struct BenchmarkBlock {
    let heads: Int
    let logitScale: Float
    let normSelf, normCross, normFeedForward: LayerNormLayer
    let qkv, selfOut, q, kv, crossOut, up, down: LinearLayer

    init(_ weights: Weights, _ name: String, width: Int, heads: Int) {
        self.heads = heads
        logitScale = 1 / Float(width / heads).squareRoot()
        func norm(_ part: String) -> LayerNormLayer {
            LayerNormLayer(weights, "\(name).\(part)", width: width, epsilon: 1e-5)
        }
        func linear(_ part: String, _ from: Int, _ to: Int) -> LinearLayer {
            LinearLayer(weights, "\(name).\(part)", from: from, to: to)
        }
        (normSelf, normCross, normFeedForward) = (norm("norm_self"), norm("norm_cross"), norm("norm_ffn"))
        (qkv, selfOut) = (linear("qkv", width, 3 * width), linear("self_out", width, width))
        (q, kv, crossOut) = (
            linear("q", width, width), linear("kv", width, 2 * width), linear("cross_out", width, width)
        )
        (up, down) = (linear("up", width, 4 * width), linear("down", 4 * width, width))
    }

    /// x [B, T, C], context [B, S, C] → [B, T, C].
    func callAsFunction(_ input: Variable, context: Variable) -> Variable {
        var x = input
        x = x + selfOut(Attention(heads: heads, layout: .packed, logitScale: logitScale).apply([qkv(normSelf(x))]))
        let cross = Attention(heads: heads, layout: .queryAndPackedKeys, logitScale: logitScale)
        x = x + crossOut(cross.apply([q(normCross(x)), kv(context)]))
        return x + down(GELU().apply([up(normFeedForward(x))]))
    }
}
