import Autograd
import Glibc
import Layers
import Tensors

/// Sines and cosines of a number at falling frequencies, cosines first (diffusers' `get_timestep_embedding` with
/// `flip_sin_to_cos` and no frequency shift).
enum Sinusoid {
    /// values [R] → [R, width]; computed in single precision, as the reference does.
    static func features(_ values: [Float], width: Int) -> Tensor {
        let half = width / 2
        let frequencies = (0..<half).map { exp(-log(Float(10000)) * Float($0) / Float(half)) }
        let y = Tensor(zeros: [values.count, width])
        for (row, value) in values.enumerated() {
            for (i, frequency) in frequencies.enumerated() {
                y.pointer[row * width + i] = cos(value * frequency)
                y.pointer[row * width + half + i] = sin(value * frequency)
            }
        }
        return y
    }
}

/// Linear, SiLU, Linear: how diffusion models read a time step, a guidance scale or a pooled text. Weight names:
/// `<name>.linear_1`, `<name>.linear_2`.
struct ConditionLayer {
    private let first, second: LinearLayer

    init(_ weights: Weights, _ name: String, from inputs: Int, to outputs: Int) {
        first = LinearLayer(weights, "\(name).linear_1", from: inputs, to: outputs)
        second = LinearLayer(weights, "\(name).linear_2", from: outputs, to: outputs)
    }

    /// x [B, inputs] → [B, outputs].
    func callAsFunction(_ x: Variable) -> Variable { second(SiLU().apply([first(x)])) }
}

/// What a picture transformer's blocks are conditioned on: time step, pooled text and, where the model is distilled
/// from guided sampling, the guidance scale. Weight names: `time_text_embed.…`.
struct TransformerCondition {
    /// Features of a time step, and of a guidance scale.
    static let frequencies = 256
    private let time, text: ConditionLayer
    private let guidance: ConditionLayer?

    init(_ weights: Weights, pooledWidth: Int, width: Int, guided: Bool) {
        func layer(_ name: String, _ inputs: Int) -> ConditionLayer {
            ConditionLayer(weights, "time_text_embed.\(name)", from: inputs, to: width)
        }
        time = layer("timestep_embedder", TransformerCondition.frequencies)
        guidance = guided ? layer("guidance_embedder", TransformerCondition.frequencies) : nil
        text = layer("text_embedder", pooledWidth)
    }

    /// Time steps [B] of 0…1000, pooled text [B, P] and guidance scales [B] in thousandths → [B, C], activated (SiLU)
    /// as every modulation reads it.
    func callAsFunction(timesteps: [Float], pooled: Variable, guidance scales: [Float]? = nil) -> Variable {
        func features(_ values: [Float]) -> Variable {
            Variable(Sinusoid.features(values, width: TransformerCondition.frequencies))
        }
        var condition = time(features(timesteps))
        if let guidance, let scales { condition = condition + guidance(features(scales)) }
        return SiLU().apply([condition + text(pooled)])
    }
}
