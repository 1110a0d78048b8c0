import Autograd
import Backbones
import Layers
import Tensors

/// DINO's vision transformer with the head that training needs.
struct DINONetwork {
    let weights: Weights
    let model: DINOModel
    private let head: DINOHead

    /// Networks of one seed are equal.
    init(_ configuration: DINOModel.Configuration, _ settings: SelfDistillation, seed: UInt64) {
        weights = Weights(.fresh(seed: seed))
        model = DINOModel(configuration, weights)
        head = DINOHead(settings, width: configuration.width, weights)
    }

    /// Prepared pictures [B, 3, H, W] to cosines [B, prototypes].
    func callAsFunction(_ pictures: Tensor) -> Variable { head(model.embeddings(Variable(pictures))) }
}

/// DINO's projection head (Caron et al., arXiv 2104.14294, section 3.2): three layers with GELU between, a row of
/// length one, and its cosines with learned prototypes of length one.
private struct DINOHead {
    private let layers: [LinearLayer]
    private let prototypes: Parameter

    init(_ settings: SelfDistillation, width: Int, _ weights: Weights) {
        let widths = [width, settings.hidden, settings.hidden, settings.bottleneck]
        layers = zip(widths, widths.dropFirst()).enumerated().map { index, pair in
            LinearLayer(
                weights, "head.mlp.\(index)", from: pair.0, to: pair.1,
                initialization: .normal(deviation: 1 / Float(pair.0).squareRoot()))
        }
        prototypes = weights.parameter(
            "head.prototypes", [settings.prototypes, settings.bottleneck],
            .normal(deviation: 1 / Float(settings.bottleneck).squareRoot()))
    }

    func callAsFunction(_ embeddings: Variable) -> Variable {
        var x = layers[0](embeddings)
        for layer in layers.dropFirst() { x = layer(GELU(.exact).apply([x])) }
        return Linear().apply([NormalizeRows().apply([x]), NormalizeRows().apply([prototypes.variable])])
    }
}
