import Autograd
import Images
import Layers
import Randomness
import Tensors

/// How a released pipeline predicts, draws and learns.
extension DiffusionPipeline {
    /// Euler's method: along the noise of a UNet, along the flow of the others, whose shift may grow with the tokens.
    package func sampler(steps: Int, latents shape: [Int]) -> any DiffusionSampler {
        switch (network, schedule.tokenShift) {
        case (.unet, _): return NoiseEuler(NoiseSchedule(schedule.noise), steps: steps)
        case (.mmdit, nil): return FlowEuler(steps: steps, shift: schedule.shift)
        case (.flux, nil): return FlowEuler(evenSteps: steps, shift: schedule.shift)
        case (.mmdit, let tokenShift?):
            return FlowEuler(
                steps: steps, tokens: tokens(shape), shift: tokenShift, endingAt: FlowEuler.leastShare)
        case (.flux, let tokenShift?): return FlowEuler(steps: steps, tokens: tokens(shape), shift: tokenShift)
        }
    }

    /// Tokens of latents [B, z, h, w].
    private func tokens(_ shape: [Int]) -> Int { shape[2] / 2 * (shape[3] / 2) }

    /// FLUX reads packed latents; they come and go in the same form as all others'.
    package func predicted(
        _ latents: Variable, timesteps: [Float], text: DiffusionText, guidance: Float
    ) -> Variable {
        let batch = latents.shape[0]
        switch network {
        case .unet(let unet):
            let needsSizes = unet.configuration.additionWidth != nil
            let told = needsSizes ? sizes(of: latents, cutFrom: text.origins) : []
            return unet(latents, timesteps: timesteps, text: text.tokens, pooled: text.pooled, sizes: told)
        case .mmdit(let mmdit):
            return mmdit(latents, text: text.tokens, pooled: text.pooled, timesteps: timesteps)
        case .flux(let flux):
            let (rows, columns) = (latents.shape[2] / 2, latents.shape[3] / 2)
            let places = FluxTransformer.places(text: text.tokens.shape[1], rows: rows, columns: columns)
            let told = flux.configuration.isGuided ? [Float](repeating: guidance, count: batch) : nil
            let tokens = flux(
                FluxTransformer.packed(latents), text: text.tokens, pooled: text.pooled,
                sigmas: timesteps.map { $0 / 1000 }, guidance: told, places: places)
            return FluxTransformer.unpacked(tokens, rows: rows, columns: columns)
        }
    }

    /// SDXL's sizes of pictures, [B][6]: of the whole one, the corner it was cropped at once it was resized, and what
    /// is wanted, as diffusers' train_dreambooth_lora_sdxl.py tells them of references. That tells the references' of
    /// pictures of the class too, which are whole ones here.
    private func sizes(of latents: Variable, cutFrom origins: [PictureOrigin]) -> [[Float]] {
        let patch = autoencoder.configuration.patchSize
        let (height, width) = (latents.shape[2] * patch, latents.shape[3] * patch)
        let wanted = [Float(height), Float(width)]
        guard !origins.isEmpty else {
            return [[Float]](repeating: wanted + [0, 0] + wanted, count: latents.shape[0])
        }
        precondition(origins.count == latents.shape[0], "\(origins.count) origins for latents \(latents.shape)")
        return origins.map { origin in
            let corner = origin.corner(size: height)
            return [origin.height, origin.width, corner.top, corner.left].map { Float($0) } + wanted
        }
    }

    /// Noise at even time steps, as diffusers' script for SDXL has it; or the flow, every share of noise with the same
    /// weight, at logit-normal shares that the scheduler's shift has moved where a picture's size does not move them;
    /// a network that is told the guidance is told its usual one. diffusers' scripts weigh SD3's flow by the square of
    /// its share of noise, and draw FLUX's shares evenly: both are of the script, not of the models' papers.
    package func loss(_ latents: Tensor, text: DiffusionText, _ generator: inout Philox) -> Variable {
        switch network {
        case .unet: return noiseLoss(latents, text: text, schedule: NoiseSchedule(schedule.noise), &generator)
        case .mmdit, .flux:
            let shift = schedule.tokenShift == nil ? Float(schedule.shift) : 1
            let place = FlowNoise(shape: latents.shape, shift: shift, generator: &generator)
            return flowLoss(latents, text: text, at: place, guidance: settings.guidance)
        }
    }
}
