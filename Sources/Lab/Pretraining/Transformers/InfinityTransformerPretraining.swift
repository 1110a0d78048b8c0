import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Randomness

/// Pretraining of the transformer together with its text encoder, on the frozen tokenizer's bits, with bitwise
/// self-correction (a random share of each scale's bits flipped before later scales see them) and prompts dropped for
/// guidance.
final class InfinityTransformerPretraining: PretrainingStage {
    let name = "transformer"
    let optimizer: any Optimizer
    private let model: InfinityModel
    private let options: PretrainingOptions

    private enum Purpose: UInt64 {
        case flips = 11
        case drops
    }

    init(model: InfinityModel, options: PretrainingOptions) {
        self.model = model
        self.options = options
        model.freeze()
        model.transformerWeights.train { _ in true }
        model.textWeights.train { _ in true }
        optimizer = Muon(
            model.transformerWeights.trainable + model.textWeights.trainable, learningRate: options.learningRate,
            weightDecay: 0.02)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let flips = BitFlips(
            maximumShare: options.largestFlipShare,
            generator: Philox(seed: options.seed, purpose: Purpose.flips.rawValue, index: UInt64(step)))
        let loss = loss(
            of: options.scenes(step: step, seed: options.seed &+ 1), flips: flips,
            dropping: options.dropped(step: step, purpose: Purpose.drops.rawValue))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    /// Without self-correction: of the bits as they are.
    func heldOutLoss() -> Float? { HeldOutLoss.mean { scenes, _ in loss(of: scenes) } }

    private func loss(of scenes: [Scene], flips: BitFlips? = nil, dropping dropped: Set<Int> = []) -> Variable {
        let maps = model.maps(scenes.painted(size: model.configuration.pictureSize), flips: flips)
        let text = model.encoder(scenes.map { model.textTokenizer.encode($0.caption) })
        return model.loss(text, maps: maps, droppingTextOf: dropped)
    }

    /// Pictures of training captions above what the model makes of their captions.
    func sheet() -> Picture {
        options.sheet { captions, seeds in
            let text = Recording.withoutGradients { model.encode(captions) }
            return model.generate(text, sampling: model.sampling(seeds: seeds))
        }
    }
}
