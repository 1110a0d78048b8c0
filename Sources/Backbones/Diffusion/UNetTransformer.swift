import Autograd
import Layers
import Tensors

/// A transformer over the positions of a map, which attends to itself and to the text. Weight names: `<name>.norm`,
/// `.proj_in`, `.transformer_blocks.…`, `.proj_out`.
struct UNetTransformer {
    private let norm: GroupNormLayer
    private let entry, exit: PositionwiseMap
    private let blocks: [UNetTransformerBlock]

    init(_ plan: UNetPlan, _ name: String, level: Int, depth: Int) {
        let (c, weights) = (plan.configuration, plan.weights)
        let width = c.channels[level]
        func projection(_ part: String) -> PositionwiseMap {
            let name = "\(name).\(part)"
            return c.projectsLinearly
                ? .linear(LinearLayer(weights, name, from: width, to: width))
                : .convolution(ConvolutionLayer(weights, name, from: width, to: width, kernel: 1))
        }
        norm = GroupNormLayer(weights, "\(name).norm", channels: width, groups: c.groups, epsilon: 1e-6)
        entry = projection("proj_in")
        blocks = (0..<depth).map {
            UNetTransformerBlock(
                weights, "\(name).transformer_blocks.\($0)", width: width, heads: c.heads[level],
                textWidth: c.textWidth)
        }
        exit = projection("proj_out")
    }

    /// x [B, C, H, W] → [B, C, H, W].
    func callAsFunction(_ x: Variable, _ context: UNetContext) -> Variable {
        var tokens = entry.tokens(norm(x))
        for block in blocks {
            tokens = recomputed([tokens, context.text], where: context.recomputes) { block($0[0], text: $0[1]) }
        }
        return x + exit.map(tokens, height: x.shape[2], width: x.shape[3])
    }
}

/// Self-attention, attention to the text and a gated feed-forward (GEGLU), norms before each.
private struct UNetTransformerBlock {
    private let norm1, norm2, norm3: LayerNormLayer
    private let own, cross: TextAttention
    private let up, down: LinearLayer
    private let inner: Int

    init(_ weights: Weights, _ name: String, width: Int, heads: Int, textWidth: Int) {
        inner = 4 * width
        func norm(_ part: String) -> LayerNormLayer {
            LayerNormLayer(weights, "\(name).\(part)", width: width, epsilon: 1e-5)
        }
        norm1 = norm("norm1")
        own = TextAttention(weights, "\(name).attn1", width: width, heads: heads, textWidth: width)
        norm2 = norm("norm2")
        cross = TextAttention(weights, "\(name).attn2", width: width, heads: heads, textWidth: textWidth)
        norm3 = norm("norm3")
        up = LinearLayer(weights, "\(name).ff.net.0.proj", from: width, to: 2 * inner)
        down = LinearLayer(weights, "\(name).ff.net.2", from: inner, to: width)
    }

    /// x [B, N, C], text [B, T, D] → [B, N, C].
    func callAsFunction(_ x: Variable, text: Variable) -> Variable {
        let h = norm1(x)
        var x = x + own(h, text: h)
        x = x + cross(norm2(x), text: text)
        let both = up(norm3(x))
        let gate = GELU(.exact).apply([both.columns(inner..<2 * inner)])
        return x + down(both.columns(0..<inner) * gate)
    }
}

/// Attention from tokens to others. Weight names: `<name>.to_q`, `.to_k`, `.to_v`, without biases, and `.to_out.0`.
private struct TextAttention {
    private let heads: Int
    private let query, key, value, output: LinearLayer

    init(_ weights: Weights, _ name: String, width: Int, heads: Int, textWidth: Int) {
        self.heads = heads
        query = LinearLayer(weights, "\(name).to_q", from: width, to: width, bias: false)
        key = LinearLayer(weights, "\(name).to_k", from: textWidth, to: width, bias: false)
        value = LinearLayer(weights, "\(name).to_v", from: textWidth, to: width, bias: false)
        output = LinearLayer(weights, "\(name).to_out.0", from: width, to: width)
    }

    /// x [B, N, C], text [B, T, D] → [B, N, C].
    func callAsFunction(_ x: Variable, text: Variable) -> Variable {
        let scale = 1 / Float(x.shape[2] / heads).squareRoot()
        return output(
            Attention(heads: heads, layout: .separate, logitScale: scale)
                .apply([query(x), key(text), value(text)]))
    }
}
