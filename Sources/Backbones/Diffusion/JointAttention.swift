import Autograd
import Layers
import Tensors

/// Attention's heads of one stream: query, key and value, the first two RMS-normed per head where the model has it, and
/// turned where it has rotary positions.
struct StreamHeads {
    /// How a stream's weights are called beneath the attention's name.
    struct Names {
        let query, key, value, queryNorm, keyNorm: String

        static let picture = Names(
            query: "to_q", key: "to_k", value: "to_v", queryNorm: "norm_q", keyNorm: "norm_k")
        static let text = Names(
            query: "add_q_proj", key: "add_k_proj", value: "add_v_proj", queryNorm: "norm_added_q",
            keyNorm: "norm_added_k")
    }

    private let sizes: AttentionSizes
    private let query, key, value: LinearLayer
    private let queryNorm, keyNorm: RMSNormLayer?

    init(_ weights: Weights, _ name: String, _ names: Names, sizes: AttentionSizes) {
        self.sizes = sizes
        func projection(_ part: String) -> LinearLayer {
            LinearLayer(weights, "\(name).\(part)", from: sizes.width, to: sizes.width)
        }
        func norm(_ part: String) -> RMSNormLayer? {
            sizes.normsHeads ? RMSNormLayer(weights, "\(name).\(part)", width: sizes.headWidth) : nil
        }
        (query, key, value) = (projection(names.query), projection(names.key), projection(names.value))
        (queryNorm, keyNorm) = (norm(names.queryNorm), norm(names.keyNorm))
    }

    /// x [B, T, C] → query, key and value, each [B, T, C].
    func callAsFunction(_ x: Variable, rotary: RotaryTable? = nil) -> (q: Variable, k: Variable, v: Variable) {
        (prepared(query(x), queryNorm, rotary), prepared(key(x), keyNorm, rotary), value(x))
    }

    private func prepared(_ x: Variable, _ norm: RMSNormLayer?, _ rotary: RotaryTable?) -> Variable {
        let rows = x.value.rows * sizes.heads
        let normed = norm.map { $0(x.reshaped([rows, sizes.headWidth])).reshaped(x.shape) } ?? x
        guard let rotary else { return normed }
        return Heads(heads: sizes.heads, sections: 1, normalize: false, rotary: rotary).apply([normed])
    }
}

/// Numbers of an attention.
struct AttentionSizes {
    let heads, headWidth: Int
    /// Whether queries and keys are RMS-normed per head.
    let normsHeads: Bool
    var width: Int { heads * headWidth }

    /// Attention of query, key and value [B, T, C] → [B, T, C].
    func attended(_ x: (q: Variable, k: Variable, v: Variable)) -> Variable {
        Attention(heads: heads, layout: .separate, logitScale: 1 / Float(headWidth).squareRoot())
            .apply([x.q, x.k, x.v])
    }
}

/// Attention of picture and text tokens over both, each stream with projections of its own (Esser et al., arXiv
/// 2403.03206, figure 2).
struct JointAttention {
    /// Which stream stands first in the common sequence.
    enum Order { case pictureFirst, textFirst }

    private let sizes: AttentionSizes
    private let order: Order
    private let picture, text: StreamHeads
    private let pictureOutput: LinearLayer
    /// Absent where the text stream ends.
    private let textOutput: LinearLayer?

    init(_ weights: Weights, _ name: String, sizes: AttentionSizes, order: Order, textEnds: Bool = false) {
        self.sizes = sizes
        self.order = order
        picture = StreamHeads(weights, name, .picture, sizes: sizes)
        text = StreamHeads(weights, name, .text, sizes: sizes)
        pictureOutput = LinearLayer(weights, "\(name).to_out.0", from: sizes.width, to: sizes.width)
        textOutput =
            textEnds ? nil : LinearLayer(weights, "\(name).to_add_out", from: sizes.width, to: sizes.width)
    }

    /// picture [B, N, C] and text [B, T, C], normed → the same, attended; no text where its stream ends. `rotary` has
    /// the angles of the whole sequence.
    func callAsFunction(
        picture x: Variable, text c: Variable, rotary: RotaryTable? = nil
    ) -> (picture: Variable, text: Variable?) {
        let (count, length) = (x.shape[1], c.shape[1])
        let (pictureTokens, textTokens) =
            order == .pictureFirst
            ? (0..<count, count..<count + length) : (length..<length + count, 0..<length)
        let a = picture(x, rotary: rotary?.slice(pictureTokens))
        let b = text(c, rotary: rotary?.slice(textTokens))
        func joined(_ x: Variable, _ c: Variable) -> Variable {
            Concatenate().apply(order == .pictureFirst ? [x, c] : [c, x])
        }
        let attended = sizes.attended((joined(a.q, b.q), joined(a.k, b.k), joined(a.v, b.v)))
        return (pictureOutput(attended.tokens(pictureTokens)), textOutput.map { $0(attended.tokens(textTokens)) })
    }
}

/// Attention of one stream over itself. Weight names: `<name>.to_q`, `.to_k`, `.to_v`, `.norm_q`, `.norm_k`,
/// `.to_out.0`.
struct StreamAttention {
    private let sizes: AttentionSizes
    private let heads: StreamHeads
    private let output: LinearLayer?

    init(_ weights: Weights, _ name: String, sizes: AttentionSizes, hasOutput: Bool = true) {
        self.sizes = sizes
        heads = StreamHeads(weights, name, .picture, sizes: sizes)
        output =
            hasOutput ? LinearLayer(weights, "\(name).to_out.0", from: sizes.width, to: sizes.width) : nil
    }

    /// x [B, T, C] → [B, T, C].
    func callAsFunction(_ x: Variable, rotary: RotaryTable? = nil) -> Variable {
        let attended = sizes.attended(heads(x, rotary: rotary))
        return output?(attended) ?? attended
    }
}
