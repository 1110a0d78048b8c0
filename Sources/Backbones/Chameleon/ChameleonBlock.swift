import Autograd
import Layers
import Tensors

/// One decoder layer: causal self-attention with normalized queries and keys, and a gated feed-forward (SwiGLU).
struct ChameleonBlock {
    private let configuration: ChameleonTransformer.Configuration
    private let attentionNorm, feedForwardNorm: RMSNormLayer
    private let query, key, value, output: LinearLayer
    private let queryNorm, keyNorm: HeadNormLayer
    private let gate, up, down: LinearLayer

    init(_ weights: Weights, _ name: String, configuration c: ChameleonTransformer.Configuration) {
        configuration = c
        let attention = "\(name).self_attn"
        let feedForward = "\(name).mlp"
        let keyWidth = c.keyHeads * c.headWidth
        let small = Initialization.normal(deviation: 0.02)
        let residual = Initialization.normal(deviation: 0.02 / Float(2 * c.depth).squareRoot())
        func projection(_ name: String, _ inputs: Int, _ outputs: Int, _ start: Initialization) -> LinearLayer {
            LinearLayer(
                weights, "\(attention).\(name)", from: inputs, to: outputs, bias: c.attentionBias, initialization: start
            )
        }
        func feed(_ name: String, _ inputs: Int, _ outputs: Int, _ start: Initialization) -> LinearLayer {
            LinearLayer(
                weights, "\(feedForward).\(name)", from: inputs, to: outputs, bias: c.feedForwardBias,
                initialization: start)
        }
        attentionNorm = RMSNormLayer(weights, "\(name).input_layernorm", width: c.width, epsilon: c.epsilon)
        query = projection("q_proj", c.width, c.width, small)
        key = projection("k_proj", c.width, keyWidth, small)
        value = projection("v_proj", c.width, keyWidth, small)
        output = projection("o_proj", c.width, c.width, residual)
        queryNorm = HeadNormLayer(
            weights, "\(attention).q_norm", heads: c.heads, headWidth: c.headWidth, rows: c.queryNormRows)
        keyNorm = HeadNormLayer(
            weights, "\(attention).k_norm", heads: c.keyHeads, headWidth: c.headWidth, rows: c.keyNormRows)
        feedForwardNorm = RMSNormLayer(weights, "\(name).post_attention_layernorm", width: c.width, epsilon: c.epsilon)
        gate = feed("gate_proj", c.width, c.feedForwardWidth, small)
        up = feed("up_proj", c.width, c.feedForwardWidth, small)
        down = feed("down_proj", c.feedForwardWidth, c.width, residual)
    }

    /// Attention over heads, from q [B, T, heads · headWidth] to k and v [.., keyHeads · headWidth]: with a cache or
    /// without.
    typealias Attend = (_ q: Variable, _ k: Variable, _ v: Variable) -> Variable

    /// x [B, T, C] → [B, T, C].
    func callAsFunction(_ x: Variable, rotary: RotaryTable, attend: Attend) -> Variable {
        if configuration.swinNorm {
            let x = x + attentionNorm(attended(x, rotary, attend))
            return x + feedForwardNorm(fed(x))
        }
        let x = x + attended(attentionNorm(x), rotary, attend)
        return x + fed(feedForwardNorm(x))
    }

    private func attended(_ x: Variable, _ rotary: RotaryTable, _ attend: Attend) -> Variable {
        let q = Heads(heads: configuration.heads, sections: 1, normalize: false, rotary: rotary).apply([
            queryNorm(query(x))
        ])
        let k = Heads(heads: configuration.keyHeads, sections: 1, normalize: false, rotary: rotary).apply([
            keyNorm(key(x))
        ])
        return output(attend(q, k, value(x)))
    }

    private func fed(_ x: Variable) -> Variable { down(SiLU().apply([gate(x)]) * up(x)) }
}
