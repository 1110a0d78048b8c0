import Autograd
import Layers
import Tensors

/// One layer of LlamaGen's decoder: attention of a packed projection with 2-D rotary, and a gated feed-forward
/// (SwiGLU), norms before both.
struct LlamaGenBlock {
    private let heads, keyHeads: Int
    private let attentionNorm, feedForwardNorm: RMSNormLayer
    private let packed, output: LinearLayer
    private let gate, up, down: LinearLayer

    init(_ weights: Weights, _ name: String, configuration c: LlamaGenTransformer.Configuration) {
        (heads, keyHeads) = (c.heads, c.keyHeads)
        let residual = Initialization.normal(deviation: 0.02 / Float(2 * c.depth).squareRoot())
        func linear(_ part: String, _ inputs: Int, _ outputs: Int, _ start: Initialization? = nil) -> LinearLayer {
            LinearLayer(
                weights, "\(name).\(part)", from: inputs, to: outputs, bias: false,
                initialization: start ?? .normal(deviation: 0.02))
        }
        attentionNorm = RMSNormLayer(weights, "\(name).attention_norm", width: c.width, epsilon: c.epsilon)
        packed = linear("attention.wqkv", c.width, c.width + 2 * c.keyWidth)
        output = linear("attention.wo", c.width, c.width, residual)
        feedForwardNorm = RMSNormLayer(weights, "\(name).ffn_norm", width: c.width, epsilon: c.epsilon)
        gate = linear("feed_forward.w1", c.width, c.feedForwardWidth)
        up = linear("feed_forward.w3", c.width, c.feedForwardWidth)
        down = linear("feed_forward.w2", c.feedForwardWidth, c.width, residual)
    }

    /// x [B, T, C] → [B, T, C]; `attend` takes the rotated query, key and value [B, T, C + 2·keyWidth] to [B, T, C].
    func callAsFunction(_ x: Variable, rotary: RotaryTable, attend: (Variable) -> Variable) -> Variable {
        let rotated = Heads(heads: heads, keyHeads: keyHeads, sections: 3, normalize: false, rotary: rotary)
            .apply([packed(attentionNorm(x))])
        let x = x + output(attend(rotated))
        let h = feedForwardNorm(x)
        return x + down(SiLU().apply([gate(h)]) * up(h))
    }
}
