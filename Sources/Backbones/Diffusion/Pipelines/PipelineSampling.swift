import Autograd
import Layers
import Tensors

extension DiffusionPipeline {
    /// How one picture is drawn.
    package struct Request {
        package var text: PipelinePrompts.Text
        /// What guidance leads away from; nil where the model is told the guidance, or there is none.
        package var negative: PipelinePrompts.Text?
        package var guidance: Float
        package var steps: Int

        package init(
            text: PipelinePrompts.Text, negative: PipelinePrompts.Text?, guidance: Float, steps: Int
        ) {
            (self.text, self.negative, self.guidance, self.steps) = (text, negative, guidance, steps)
        }
    }

    /// The sampler for a picture of latents [1, z, h, w].
    package func sampler(steps: Int, latents shape: [Int]) -> any DiffusionSampler {
        switch network {
        case .unet: return NoiseEuler(NoiseSchedule(schedule.noise), steps: steps)
        case .mmdit, .flux:
            guard let tokenShift = schedule.tokenShift else { return FlowEuler(steps: steps, shift: schedule.shift) }
            let patch = shape[2] / 2 * (shape[3] / 2)
            return FlowEuler(steps: steps, tokens: patch, shift: tokenShift)
        }
    }

    /// What the network predicts for latents [1, z, h, w] at a time step of 0…1000; of FLUX, which reads packed
    /// latents, the same shape again.
    ///
    /// `guidance` is for models that are told it.
    package func predicted(
        _ latents: Tensor, timestep: Float, text: PipelinePrompts.Text, guidance: Float
    ) -> Tensor {
        Recording.withoutGradients {
            switch network {
            case .unet(let unet):
                let sizes = unet.configuration.additionWidth == nil ? [] : [sizes(of: latents)]
                return unet(
                    Variable(latents), timesteps: [timestep], text: text.tokens, pooled: text.pooled, sizes: sizes
                ).value
            case .mmdit(let mmdit):
                return mmdit(Variable(latents), text: text.tokens, pooled: text.pooled, timesteps: [timestep]).value
            case .flux(let flux):
                let (rows, columns) = (latents.shape[2] / 2, latents.shape[3] / 2)
                let places = FluxTransformer.places(text: text.tokens.shape[1], rows: rows, columns: columns)
                let tokens = flux(
                    FluxTransformer.packed(Variable(latents)), text: text.tokens, pooled: text.pooled,
                    sigmas: [timestep / 1000], guidance: flux.configuration.isGuided ? [guidance] : nil,
                    places: places)
                return FluxTransformer.unpacked(tokens, rows: rows, columns: columns).value
            }
        }
    }

    /// SDXL's sizes of a picture: its own, the corner it was cropped at, and the one that is wanted.
    private func sizes(of latents: Tensor) -> [Float] {
        let (height, width) = (latents.shape[2], latents.shape[3])
        let patch = autoencoder.configuration.patchSize
        let own = [Float(height * patch), Float(width * patch)]
        return own + [0, 0] + own
    }

    /// Latents [1, z, h, w] from standard normal noise of that shape. `observe` sees them after every step.
    package func latents(
        _ request: Request, from noise: Tensor, observe: (Int, Tensor) -> Void = { _, _ in }
    ) -> Tensor {
        let sampler = sampler(steps: request.steps, latents: noise.shape)
        var state = Tensor(noise.values.map { $0 * sampler.initialScale }, shape: noise.shape)
        for (index, timestep) in sampler.timesteps.enumerated() {
            let input = sampler.input(state, at: index)
            let output = predicted(input, timestep: timestep, text: request.text, guidance: request.guidance)
            if let negative = request.negative {
                let away = predicted(input, timestep: timestep, text: negative, guidance: request.guidance)
                for i in 0..<output.count {
                    output.pointer[i] = away.pointer[i] + request.guidance * (output.pointer[i] - away.pointer[i])
                }
            }
            state = sampler.step(state, output: output, at: index)
            observe(index, state)
        }
        return state
    }

    /// Latents [1, z, h, w] as a picture [1, 3, H, W], not clamped.
    package func decoded(_ latents: Tensor) -> Tensor {
        Recording.withoutGradients { autoencoder.decode(Variable(autoencoder.unscaled(latents))).value }
    }
}
