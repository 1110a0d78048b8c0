import Autograd
import Layers

/// The classifier's network: a convolution that halves, three levels of pre-activated residual convolutions (16×16, 8×8
/// and 4×4 positions for pictures of 64×64), the last read position by position, because what stands in the middle is
/// the subject, and one head a trait.
///
/// All channels are normalized together, and none before the first level: a mean taken away from every few channels
/// takes a picture's colours with it.
struct ClassifierNetwork {
    private let entry: ConvolutionLayer
    private let levels: [ClassifierLevel]
    private let norm: GroupNormLayer
    private let hidden: LinearLayer
    private let heads: [LinearLayer]
    /// Of the layer before the heads.
    private static let width = 128

    init(_ configuration: AttributeClassifier.Configuration, _ weights: Weights) {
        let c = configuration.channels
        let side = configuration.pictureSize / 16
        let width = ClassifierNetwork.width
        entry = ConvolutionLayer(weights, "entry", from: 3, to: c, kernel: 5, stride: 2)
        levels = [(c, 2 * c, 1), (2 * c, 4 * c, 2), (4 * c, 4 * c, 2)].enumerated().map { index, sizes in
            ClassifierLevel(weights, "levels.\(index)", from: sizes.0, to: sizes.1, depth: sizes.2)
        }
        norm = GroupNormLayer(weights, "norm", channels: 4 * c, groups: 1)
        hidden = LinearLayer(weights, "hidden", from: 4 * c * side * side, to: width)
        heads = configuration.traits.map {
            LinearLayer(weights, "heads.\($0.rawValue)", from: width, to: $0.names.count)
        }
    }

    /// Pictures [B, 3, H, W] to the maps after the first convolution [B, C, H/2, W/2] and after every level.
    func features(_ pictures: Variable) -> [Variable] {
        levels.reduce(into: [entry(pictures)]) { $0.append($1($0.last!)) }
    }

    /// Pictures [B, 3, H, W] to one variable [B, labels] a trait.
    func callAsFunction(_ pictures: Variable) -> [Variable] {
        let x = norm(features(pictures).last!, swish: true)  // [B, 4·C, H/16, W/16]
        let features = GELU().apply([hidden(x.reshaped([x.shape[0], x.value.count / x.shape[0]]))])  // [B, width]
        return heads.map { $0(features) }
    }
}

/// A swish and a convolution that halves, then `depth` times x + conv(swish(norm(x))).
private struct ClassifierLevel {
    let entry: ConvolutionLayer
    let blocks: [(norm: GroupNormLayer, convolution: ConvolutionLayer)]

    init(_ weights: Weights, _ name: String, from inputs: Int, to outputs: Int, depth: Int) {
        entry = ConvolutionLayer(weights, "\(name).entry", from: inputs, to: outputs, kernel: 3, stride: 2)
        blocks = (0..<depth).map { index in
            (
                GroupNormLayer(weights, "\(name).blocks.\(index).norm", channels: outputs, groups: 1),
                ConvolutionLayer(weights, "\(name).blocks.\(index).conv", from: outputs, to: outputs, kernel: 3)
            )
        }
    }

    func callAsFunction(_ x: Variable) -> Variable {
        blocks.reduce(entry(SiLU().apply([x]))) { x, block in x + block.convolution(block.norm(x, swish: true)) }
    }
}
