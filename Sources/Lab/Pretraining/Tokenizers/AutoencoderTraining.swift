import Autograd
import Backbones
import Images
import Layers
import Randomness
import Tensors

/// A diffusion model's autoencoder learns latents that are drawn around their means (Rombach et al., arXiv 2112.10752):
/// its own loss is the divergence of their distribution from the standard normal one, lightly.
struct AutoencoderTraining: TrainableTokenizer {
    private static let divergenceWeight: Float = 1e-3

    private enum Purpose: UInt64 { case latents = 41 }

    let model: DiffusionModel
    let seed: UInt64
    let decoderNames = ["decoder."]

    var weights: Weights { model.autoencoderWeights }

    func pass(_ pictures: Variable, of captions: [String], step: Int, learnsTokens: Bool) -> TokenizerPass {
        let moments = model.autoencoder.encode(pictures)
        var generator = Philox(seed: seed, purpose: Purpose.latents.rawValue, index: UInt64(step))
        let noise = Tensor(normal: moments.mean.shape, &generator)
        let divergence = moments.divergence
        return TokenizerPass(
            decoded: model.autoencoder.decode(moments.sample(noise: noise)),
            loss: AutoencoderTraining.divergenceWeight * divergence, named: [("divergence", divergence.scalar)])
    }

    func reconstruct(_ pictures: [Picture]) -> [Picture] { model.reconstruct(pictures) }
}

extension AutoencoderKL.Moments {
    /// The mean over latents of the divergence from the standard normal distribution: ½ (mean² + σ² − 1 − ln σ²).
    var divergence: Variable {
        let variance = ExponentialGain(limit: .infinity).apply([logVariance])
        let one = Variable(Tensor(repeating: 1, shape: mean.shape))
        return 0.5 * Mean().apply([mean * mean + variance + -1 * (logVariance + one)])
    }
}
