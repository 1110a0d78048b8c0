import Autograd
import Images
import Randomness
import Tensors

/// How pictures are drawn by diffusion.
package struct DiffusionSampling: Sendable {
    /// Guidance scale; 1 leaves what the prompt says.
    package var guidance: Float
    package var steps: Int
    /// One per picture: a picture's noise depends on its own seed only.
    package var seeds: [UInt64]

    package init(guidance: Float, steps: Int, seeds: [UInt64]) {
        (self.guidance, self.steps, self.seeds) = (guidance, steps, seeds)
    }
}

extension DiffusionModel {
    /// The model's defaults, or others.
    package func sampling(guidance: Float? = nil, steps: Int? = nil, seeds: [UInt64]) -> DiffusionSampling {
        DiffusionSampling(
            guidance: guidance ?? configuration.guidance, steps: steps ?? configuration.steps, seeds: seeds)
    }

    /// One picture per text, by Euler's method along the flow. Guidance leads away from `negative`, texts of the same
    /// number; from the empty prompt when nil.
    package func generate(_ text: Text, negative: Text? = nil, sampling: DiffusionSampling) -> [Picture] {
        pictures(generateLatents(text, negative: negative, sampling: sampling))
    }

    /// What is decoded to pictures, [B, z, h, w].
    package func generateLatents(_ text: Text, negative: Text? = nil, sampling: DiffusionSampling) -> Tensor {
        let count = text.pooled.shape[0]
        precondition(sampling.seeds.count == count, "\(sampling.seeds.count) seeds for \(count) pictures")
        return Recording.withoutGradients {
            let isGuided = sampling.guidance != 1
            let condition =
                isGuided ? text.joined(negative ?? encode([String](repeating: "", count: count))) : text
            let sampler = FlowEuler(steps: sampling.steps, shift: configuration.shift)
            return sampler.sample(from: noise(sampling.seeds)) { input, timestep in
                let rows = isGuided ? Tensor.joined([input, input]) : input
                let flow = transformer(
                    Variable(rows), text: condition.tokens, pooled: condition.pooled,
                    timesteps: [Float](repeating: timestep, count: rows.shape[0])
                ).value
                return isGuided ? DiffusionModel.guided(flow, by: sampling.guidance) : flow
            }
        }
    }

    /// Standard normal noise for a picture of each seed, [B, z, h, w].
    private func noise(_ seeds: [UInt64]) -> Tensor {
        let shape = configuration.latentShape
        let each = shape.reduce(1, *)
        let values = seeds.flatMap { seed -> [Float] in
            var generator = Philox(seed: seed, purpose: 0xD1FF, index: 0)
            return (0..<each).map { _ in generator.normal() }
        }
        return Tensor(values, shape: [seeds.count] + shape)
    }

    /// uncond + guidance · (cond − uncond), [B, …], of [2 · B, …], the conditional ones first.
    private static func guided(_ flow: Tensor, by guidance: Float) -> Tensor {
        let count = flow.shape[0] / 2
        let result = flow.slice(count..<2 * count).copy()
        let conditional = flow.slice(0..<count)
        for i in 0..<result.count { result.pointer[i] += guidance * (conditional.pointer[i] - result.pointer[i]) }
        return result
    }
}

extension DiffusionModel.Text {
    /// These texts, then others.
    fileprivate func joined(_ other: Self) -> Self {
        Self(
            tokens: Variable(.joined([tokens.value, other.tokens.value])),
            pooled: Variable(.joined([pooled.value, other.pooled.value])))
    }
}
