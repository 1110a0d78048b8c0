import Autograd
import Backbones
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// Pretraining of a diffusion model's transformer together with its text encoder, in the frozen autoencoder's latents:
/// the flow from noise to picture at shares of noise drawn logit-normally (Esser et al., arXiv 2403.03206), with
/// prompts dropped for guidance. Sheets and exports are made with the weights' running averages.
final class FlowPretraining: PretrainingStage {
    let name = "transformer"
    var optimizer: any Optimizer { averaging }
    private let averaging: AveragingOptimizer
    private let model: DiffusionModel
    private let options: PretrainingOptions

    private enum Purpose: UInt64 {
        case latents = 42
        case flow
        case drops
    }

    init(model: DiffusionModel, options: PretrainingOptions) {
        self.model = model
        self.options = options
        model.freeze()
        model.transformerWeights.train { $0 != model.transformer.positions.name }
        model.textWeights.train { _ in true }
        let trained = model.transformerWeights.trainable + model.textWeights.trainable
        averaging = AveragingOptimizer(
            Muon(trained, learningRate: options.learningRate, weightDecay: 0.01), of: trained)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed &+ 1)
        let latents = latents(scenes, step: UInt64(step))
        let dropped = options.dropped(step: step, purpose: Purpose.drops.rawValue)
        let prompts = scenes.enumerated().map { dropped.contains($0) ? "" : $1.caption }
        var flow = generator(.flow, UInt64(step))
        let loss = model.flowLoss(
            latents, text: model.encode(prompts), at: FlowNoise(shape: latents.shape, generator: &flow))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    private func generator(_ purpose: Purpose, _ step: UInt64) -> Philox {
        Philox(seed: options.seed, purpose: purpose.rawValue, index: step)
    }

    private func latents(_ scenes: [Scene], step: UInt64) -> Tensor {
        var generator = generator(.latents, step)
        let noise = Tensor(normal: [scenes.count] + model.configuration.latentShape, &generator)
        return model.latents(scenes.painted(size: model.configuration.pictureSize), noise: noise)
    }

    /// Pictures of training captions above what the model makes of them.
    func sheet() -> Picture {
        averaging.withAverages {
            options.sheet { captions, seeds in
                let text = Recording.withoutGradients { model.encode(captions) }
                return model.generate(text, sampling: model.sampling(seeds: seeds))
            }
        }
    }
}
