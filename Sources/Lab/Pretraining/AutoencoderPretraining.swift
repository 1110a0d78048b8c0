import Autograd
import Backbones
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// Pretraining of a diffusion model's autoencoder: reconstruct Little World's pictures from latents that are drawn
/// around their means (Rombach et al., arXiv 2112.10752).
///
/// As the stage `decoder` it leaves the encoder, and with it every latent, as it is.
///
/// Loss: reconstruction, perceptual and adversarial terms (`TokenizerObjective`) + the divergence of the latents'
/// distribution from the standard normal one, lightly.
final class AutoencoderPretraining: PretrainingStage {
    private static let divergenceWeight: Float = 1e-3

    private let part: TokenizerPretraining.Part
    var name: String { part.rawValue }
    let optimizer: any Optimizer
    private let model: DiffusionModel
    private let options: PretrainingOptions
    private let objective: TokenizerObjective

    private enum Purpose: UInt64 { case latents = 41 }

    init(_ part: TokenizerPretraining.Part, of model: DiffusionModel, options: PretrainingOptions) throws {
        self.part = part
        self.model = model
        self.options = options
        model.freeze()
        model.autoencoderWeights.train { part == .tokenizer || $0.hasPrefix("decoder.") }
        objective = try TokenizerObjective(options)
        optimizer = objective.optimizer(
            Muon(model.autoencoderWeights.trainable, learningRate: options.learningRate, weightDecay: 0.01))
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed)
        let pictures = Variable(.pictures(scenes.painted(size: model.configuration.pictureSize)))
        let moments = model.autoencoder.encode(pictures)
        var generator = Philox(seed: options.seed, purpose: Purpose.latents.rawValue, index: UInt64(step))
        let noise = Tensor(uninitialized: moments.mean.shape)
        for i in 0..<noise.count { noise.pointer[i] = generator.normal() }
        let divergence = moments.divergence
        let losses = objective.accumulate(
            model.autoencoder.decode(moments.sample(noise: noise)), of: pictures, step: step,
            other: AutoencoderPretraining.divergenceWeight * divergence)
        return losses + [("divergence", divergence.scalar)]
    }

    /// Rows of pictures never seen in training above their reconstructions.
    func sheet() -> Picture {
        let pictures = PretrainingOptions.heldOutPictures(size: model.configuration.pictureSize)
        return Grid.rows(
            of: 12,
            stride(from: 0, to: pictures.count, by: 12).flatMap { row in
                let originals = Array(pictures[row..<row + 12])
                return originals + model.reconstruct(originals)
            })
    }
}

extension AutoencoderKL.Moments {
    /// The mean over latents of the divergence from the standard normal distribution: ½ (mean² + σ² − 1 − ln σ²).
    var divergence: Variable {
        let variance = ExponentialGain(limit: .infinity).apply([logVariance])
        let one = Variable(Tensor(repeating: 1, shape: mean.shape))
        return 0.5 * Mean().apply([mean * mean + variance + -1 * (logVariance + one)])
    }
}
