import Autograd
import Glibc
import Layers
import Randomness
import Tensors

/// What a step of training a flow is done at: for every picture of a batch a share of noise, and the noise.
package struct FlowNoise {
    /// Shares of noise, [B].
    package let sigmas: [Float]
    /// [B, z, h, w].
    package let noise: Tensor

    /// Shares are logit-normal (Esser et al., arXiv 2403.03206, section 3.1), so that the middle of the way, where it
    /// is hardest, is learnt most.
    /// - Parameter shape: of the latents, [B, z, h, w].
    package init(shape: [Int], generator: inout Philox) {
        sigmas = (0..<shape[0]).map { _ in 1 / (1 + exp(-generator.normal())) }
        let noise = Tensor(uninitialized: shape)
        for i in 0..<noise.count { noise.pointer[i] = generator.normal() }
        self.noise = noise
    }
}

extension DiffusionModel {
    /// Mean squared error of the predicted flow, noise − latents, on noised `latents` [B, z, h, w]; a single number.
    package func flowLoss(_ latents: Tensor, text: Text, at place: FlowNoise) -> Variable {
        let target = place.noise.copy()
        target.accumulate(latents, scale: -1)
        let noised = FlowEuler.noised(latents, noise: place.noise, sigmas: place.sigmas)
        let flow = transformer(
            Variable(noised), text: text.tokens, pooled: text.pooled, timesteps: place.sigmas.map { $0 * 1000 })
        return SquaredError().apply([flow, Variable(target)])
    }
}
