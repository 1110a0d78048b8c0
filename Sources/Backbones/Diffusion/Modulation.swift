import Autograd
import Layers
import Tensors

/// Shifts, scales and gates of a block, one set a sample, from the activated condition (adaLN, Peebles and Xie, arXiv
/// 2212.09748). Weight name: `<name>.linear` [parts·C, C].
struct Modulation {
    private let linear: LinearLayer
    private let parts: Int

    init(_ weights: Weights, _ name: String, width: Int, parts: Int) {
        linear = LinearLayer(weights, "\(name).linear", from: width, to: parts * width, initialization: .zeros)
        self.parts = parts
    }

    /// condition [B, C] → `parts` times [B, C].
    func callAsFunction(_ condition: Variable) -> [Variable] {
        let all = linear(condition)
        let width = all.shape[1] / parts
        return (0..<parts).map { all.columns($0 * width..<($0 + 1) * width) }
    }
}

extension Variable {
    /// LN(x) · (1 + scale) + shift, x [B, T, C], scale and shift [B, C]; the norm has no weights of its own.
    func modulated(shift: Variable, scale: Variable) -> Variable {
        LayerNorm(offset: 1, rowsPerGroup: shape[1], epsilon: 1e-6).apply([self, scale, shift])
    }

    /// x · gate, x [B, T, C], gate [B, C].
    func gated(_ gate: Variable) -> Variable { MultiplyRows(rowsPerGroup: shape[1]).apply([self, gate]) }
}

/// The last norm of a picture transformer, or of a text stream that ends: its scale comes before its shift. Weight
/// name: `<name>.linear` [2·C, C].
struct ExitModulation {
    private let modulation: Modulation

    init(_ weights: Weights, _ name: String, width: Int) {
        modulation = Modulation(weights, name, width: width, parts: 2)
    }

    /// x [B, T, C], condition [B, C] → [B, T, C].
    func callAsFunction(_ x: Variable, condition: Variable) -> Variable {
        let parts = modulation(condition)
        return x.modulated(shift: parts[1], scale: parts[0])
    }
}

/// Linear, GELU(tanh), Linear, four times as wide between. Weight names: `<name>.net.0.proj`, `<name>.net.2`.
struct TransformerFeedForward {
    private let up, down: LinearLayer

    init(_ weights: Weights, _ name: String, width: Int) {
        up = LinearLayer(weights, "\(name).net.0.proj", from: width, to: 4 * width)
        down = LinearLayer(weights, "\(name).net.2", from: 4 * width, to: width)
    }

    /// x [.., C] → [.., C].
    func callAsFunction(_ x: Variable) -> Variable { down(GELU().apply([up(x)])) }
}
