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
    /// is hardest, is learnt most; then moved towards noise by `shift` as the sampler's are.
    /// - Parameter shape: of the latents, [B, z, h, w].
    package init(shape: [Int], shift: Float = 1, generator: inout Philox) {
        sigmas = (0..<shape[0]).map { _ in
            let share = 1 / (1 + exp(-generator.normal()))
            return shift == 1 ? share : shift * share / (1 + (shift - 1) * share)
        }
        noise = Tensor(normal: shape, &generator)
    }
}

extension LatentDiffusion {
    /// Mean squared error of the predicted flow, noise − latents, on noised `latents` [B, z, h, w]; a single number.
    package func flowLoss(
        _ latents: Tensor, text: DiffusionText, at place: FlowNoise, guidance: Float = 1
    ) -> Variable {
        let target = place.noise.copy()
        target.accumulate(latents, scale: -1)
        let noised = FlowEuler.noised(latents, noise: place.noise, sigmas: place.sigmas)
        let flow = predicted(
            Variable(noised), timesteps: place.sigmas.map { $0 * 1000 }, text: text, guidance: guidance)
        return SquaredError().apply([flow, Variable(target)])
    }

    /// The same of a model that predicts noise, or a velocity, at time steps drawn evenly.
    func noiseLoss(
        _ latents: Tensor, text: DiffusionText, schedule: NoiseSchedule, _ generator: inout Philox
    ) -> Variable {
        let steps = (0..<latents.shape[0]).map { _ in generator.below(schedule.retained.count) }
        let noise = Tensor(normal: latents.shape, &generator)
        let noised = schedule.noised(latents, noise: noise, steps: steps)
        let output = predicted(Variable(noised), timesteps: steps.map(Float.init), text: text, guidance: 1)
        return SquaredError().apply([
            output, Variable(schedule.target(latents, noise: noise, steps: steps)),
        ])
    }
}
