import Autograd
import Layers

/// Tells pictures from reconstructions, patch by patch (Isola et al., arXiv 1611.07004, as VQGAN uses it, arXiv
/// 2012.09841): convolutions of 4×4 that halve twice, two of 3×3, one logit a position.
struct PatchDiscriminator {
    private static let channels = 64

    let weights: Weights
    private let entry, exit: ConvolutionLayer
    private let inner: [(convolution: ConvolutionLayer, norm: GroupNormLayer)]

    /// - Parameter seed: of the fresh weights, whose names begin with `discriminator.`.
    init(seed: UInt64) {
        let weights = Weights(.fresh(seed: seed))
        let c = PatchDiscriminator.channels
        entry = ConvolutionLayer(
            weights, "discriminator.entry", from: 3, to: c, kernel: 4, stride: 2, padding: .around(1))
        inner = [(c, 2 * c, 4, 2), (2 * c, 2 * c, 3, 1)].enumerated().map { index, sizes in
            (
                ConvolutionLayer(
                    weights, "discriminator.\(index)", from: sizes.0, to: sizes.1, kernel: sizes.2, stride: sizes.3,
                    padding: .around(1)),
                GroupNormLayer(weights, "discriminator.\(index).norm", channels: sizes.1, groups: 8)
            )
        }
        exit = ConvolutionLayer(weights, "discriminator.exit", from: 2 * c, to: 1, kernel: 3)
        self.weights = weights
        weights.train { _ in true }
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to logits [B, 1, H/4, W/4], high for pictures of the world.
    func callAsFunction(_ pictures: Variable) -> Variable {
        exit(inner.reduce(leaky(entry(pictures))) { leaky($1.norm($1.convolution($0))) })
    }

    /// x for x > 0, else x/5.
    private func leaky(_ x: Variable) -> Variable { 0.8 * ReLU().apply([x]) + 0.2 * x }
}
