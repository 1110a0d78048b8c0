import Autograd
import Layers

/// The non-linearity of a feed-forward layer, under the names of published configurations.
package enum Activation: String, Codable, Sendable {
    case quickGELU = "quick_gelu"
    case gelu
    case tanhGELU = "gelu_new"
    /// The same formula, which transformers then leaves to torch.
    case torchTanhGELU = "gelu_pytorch_tanh"

    var operation: GELU {
        switch self {
        case .quickGELU: GELU(.quick)
        case .gelu: GELU(.exact)
        case .tanhGELU, .torchTanhGELU: GELU(.tanh)
        }
    }
}

/// A transformer block as CLIP's towers and the vision transformer have it: x += attention(norm(x)); x +=
/// feedForward(norm(x)), with biases everywhere and logits scaled by 1/√headWidth.
struct EncoderBlock {
    struct Sizes {
        var width, feedForwardWidth, heads, layers: Int
        var activation: Activation
        var epsilon: Float
    }

    /// The weights' names in a published checkpoint.
    struct Names {
        let attentionNorm, query, key, value, output, feedForwardNorm, up, down: String

        /// transformers' CLIPEncoderLayer.
        static func clip(_ block: String) -> Names {
            Names(
                attentionNorm: "\(block).layer_norm1", query: "\(block).self_attn.q_proj",
                key: "\(block).self_attn.k_proj",
                value: "\(block).self_attn.v_proj", output: "\(block).self_attn.out_proj",
                feedForwardNorm: "\(block).layer_norm2",
                up: "\(block).mlp.fc1", down: "\(block).mlp.fc2")
        }

        /// transformers' ViTLayer, as its checkpoints name it.
        static func vit(_ block: String) -> Names {
            Names(
                attentionNorm: "\(block).layernorm_before", query: "\(block).attention.attention.query",
                key: "\(block).attention.attention.key", value: "\(block).attention.attention.value",
                output: "\(block).attention.output.dense", feedForwardNorm: "\(block).layernorm_after",
                up: "\(block).intermediate.dense",
                down: "\(block).output.dense")
        }
    }

    private let attentionNorm, feedForwardNorm: LayerNormLayer
    private let query, key, value, output, up, down: LinearLayer
    private let sizes: Sizes

    /// Fresh weights start as CLIP's did (openai/CLIP, initialize_parameters): what is added to the residual is scaled
    /// by 1/√(2·layers).
    init(_ weights: Weights, _ names: Names, _ sizes: Sizes, projectionsHaveBias: Bool = true) {
        self.sizes = sizes
        let c = sizes.width
        let entry = 1 / Float(c).squareRoot()
        let exit = entry / Float(2 * sizes.layers).squareRoot()
        func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ deviation: Float, bias: Bool = true) -> LinearLayer
        {
            LinearLayer(
                weights, name, from: inputs, to: outputs, bias: bias, initialization: .normal(deviation: deviation))
        }
        attentionNorm = LayerNormLayer(weights, names.attentionNorm, width: c, epsilon: sizes.epsilon)
        query = linear(names.query, c, c, entry, bias: projectionsHaveBias)
        key = linear(names.key, c, c, entry, bias: projectionsHaveBias)
        value = linear(names.value, c, c, entry, bias: projectionsHaveBias)
        output = linear(names.output, c, c, exit)
        feedForwardNorm = LayerNormLayer(weights, names.feedForwardNorm, width: c, epsilon: sizes.epsilon)
        up = linear(names.up, c, sizes.feedForwardWidth, entry / Float(2).squareRoot())
        down = linear(names.down, sizes.feedForwardWidth, c, exit)
    }

    /// x [B, T, C]; `visible` and `keyRanges` as in `Attention`.
    func callAsFunction(_ x: Variable, visible: [Int32]? = nil, keyRanges: [Range<Int>]? = nil) -> Variable {
        let h = attentionNorm(x)
        let headWidth = sizes.width / sizes.heads
        let attention = Attention(
            heads: sizes.heads, layout: .separate, logitScale: 1 / Float(headWidth).squareRoot(), visible: visible,
            keyRanges: keyRanges)
        let attended = x + output(attention.apply([query(h), key(h), value(h)]))
        return attended + down(sizes.activation.operation.apply([up(feedForwardNorm(attended))]))
    }
}
