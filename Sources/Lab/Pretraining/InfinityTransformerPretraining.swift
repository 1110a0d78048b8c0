import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// Pretraining of the transformer together with its text encoder, on the frozen tokenizer's bits, with bitwise
/// self-correction (a random share of each scale's bits flipped before later scales see them) and prompts dropped for
/// guidance.
final class InfinityTransformerPretraining: PretrainingStage {
    let name = "transformer"
    let optimizer: any Optimizer
    private let model: InfinityModel
    private let options: PretrainingOptions
    private let largestFlipShare: Float = 0.3
    private let dropShare: Float = 0.1

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
        let scenes = options.scenes(step: step, seed: options.seed &+ 1)
        let maps = tokenMaps(scenes, step: UInt64(step))
        var drops = Philox(seed: options.seed, purpose: Purpose.drops.rawValue, index: UInt64(step))
        let dropped = Set((0..<options.batch).filter { _ in drops.uniform() < dropShare })
        let text = model.encoder(scenes.map { model.textTokenizer.encode($0.caption) })
        let logits = model.transformer.logits(text, inputs: maps.inputs, droppingTextOf: dropped)
        let loss = BitCrossEntropy(bits: maps.bits, weights: tokenWeights(maps)).apply([logits])
        loss.backward()
        return [("loss", loss.scalar)]
    }

    /// A weight for every token of the batch, by the side of its scale: proportional to 1/√(h·w), as the reference's
    /// `reweight_loss_by_scale`, so that the few tokens that decide what is in a picture count beside the many that
    /// finish it. Over a picture they sum to 1, spread over a token's bits.
    private func tokenWeights(_ maps: TokenMaps) -> [Float] {
        let picture = maps.schedule.sides.flatMap {
            [Float](repeating: 1 / Float($0.tokens).squareRoot(), count: $0.tokens)
        }
        let factor = 1 / (picture.reduce(0, +) * Float(maps.depth * options.batch))
        return (0..<options.batch).flatMap { _ in picture.map { $0 * factor } }
    }

    private func tokenMaps(_ scenes: [Scene], step: UInt64) -> TokenMaps {
        Recording.withoutGradients {
            let pictures = Tensor.pictures(scenes.painted(size: model.configuration.pictureSize))
            let features = model.tokenizer.features(Variable(pictures)).value
            return model.tokenizer.quantize(
                features, schedule: model.configuration.schedule,
                flips: BitFlips(
                    maximumShare: largestFlipShare,
                    generator: Philox(seed: options.seed, purpose: Purpose.flips.rawValue, index: step)))
        }
    }

    /// Pictures of training captions above what the model makes of their captions.
    func sheet() -> Picture {
        options.sheet { captions, seeds in
            let text = Recording.withoutGradients { model.encode(captions) }
            return model.generate(text, sampling: model.sampling(seeds: seeds))
        }
    }
}
