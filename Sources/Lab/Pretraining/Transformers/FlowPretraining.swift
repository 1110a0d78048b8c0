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
        let loss = loss(
            of: options.scenes(step: step, seed: options.seed &+ 1), seed: options.seed, step: step,
            dropping: options.dropped(step: step, purpose: Purpose.drops.rawValue))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    /// Of the averages, at the same shares of the same noise whatever the run's seed.
    func heldOutLoss() -> Float? {
        averaging.withAverages { HeldOutLoss.mean { scenes, batch in loss(of: scenes, seed: 0, step: batch) } }
    }

    /// - Parameter seed: of the noise and its shares, which are those of a step.
    private func loss(of scenes: [Scene], seed: UInt64, step: Int, dropping dropped: Set<Int> = []) -> Variable {
        let latents = latents(scenes, seed: seed, step: step)
        let prompts = scenes.enumerated().map { dropped.contains($0) ? "" : $1.caption }
        var flow = Philox(seed: seed, purpose: Purpose.flow.rawValue, index: UInt64(step))
        return model.flowLoss(
            latents, text: model.encode(prompts), at: FlowNoise(shape: latents.shape, generator: &flow))
    }

    private func latents(_ scenes: [Scene], seed: UInt64, step: Int) -> Tensor {
        var generator = Philox(seed: seed, purpose: Purpose.latents.rawValue, index: UInt64(step))
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
