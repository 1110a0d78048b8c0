import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Tensors

/// Pretraining of the picture tokenizer: reconstruct Little World's pictures through the bits.
///
/// As the stage `decoder` it leaves the encoder, and with it every bit, as it is: pictures get better and a transformer
/// trained on those bits stays true.
///
/// Loss: reconstruction, perceptual and adversarial terms (`TokenizerObjective`) + commitment.
final class TokenizerPretraining: PretrainingStage {
    enum Part: String { case tokenizer, decoder }

    private let part: Part
    var name: String { part.rawValue }
    let optimizer: any Optimizer
    private let model: InfinityModel
    private let options: PretrainingOptions
    private let commitment: Float = 1
    private let objective: TokenizerObjective

    init(_ part: Part, of model: InfinityModel, options: PretrainingOptions) throws {
        self.part = part
        self.model = model
        self.options = options
        model.freeze()
        model.tokenizerWeights.train { part == .tokenizer || $0.hasPrefix("decoder.") }
        objective = try TokenizerObjective(options)
        optimizer = objective.optimizer(
            Muon(model.tokenizerWeights.trainable, learningRate: options.learningRate, weightDecay: 0.01))
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed)
        let pictures = Variable(.pictures(scenes.painted(size: model.configuration.pictureSize)))
        let features = model.tokenizer.features(pictures)
        let sum = model.tokenizer.straightThrough(features, schedule: model.configuration.schedule)
        let committed = SquaredError().apply([features, sum.detached])
        let losses = objective.accumulate(
            model.tokenizer.decode(sum), of: pictures, step: step, other: commitment * committed)
        return losses + [("commitment", committed.scalar)]
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
