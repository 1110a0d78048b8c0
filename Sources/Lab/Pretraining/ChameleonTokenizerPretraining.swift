import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Tensors

/// Pretraining of the VQGAN: reconstruct Little World's pictures through the codes (van den Oord et al., arXiv
/// 1711.00937, with codes that nobody uses started anew from features, as in Dhariwal et al., arXiv 2005.00341).
///
/// As the stage `decoder` it leaves the encoder and the codebook, and with them every code, as they are.
///
/// Loss: reconstruction, perceptual and adversarial terms (`TokenizerObjective`) + codebook ‖sg(z) − c‖²
/// + commitment β ‖z − sg(c)‖².
final class ChameleonTokenizerPretraining: PretrainingStage {
    private let part: TokenizerPretraining.Part
    var name: String { part.rawValue }
    let optimizer: any Optimizer
    private let model: ChameleonModel
    private let options: PretrainingOptions
    private let commitment: Float = 0.25
    private let objective: TokenizerObjective
    private var restarts: CodeRestarts

    private enum Purpose: UInt64 { case restarts = 31 }

    init(_ part: TokenizerPretraining.Part, of model: ChameleonModel, options: PretrainingOptions) throws {
        self.part = part
        self.model = model
        self.options = options
        model.freeze()
        model.tokenizerWeights.train {
            part == .tokenizer || $0.hasPrefix("decoder.") || $0.hasPrefix("post_quant_conv.")
        }
        restarts = CodeRestarts(
            codebook: model.tokenizer.quantizer.codebook.value, seed: options.seed, purpose: Purpose.restarts.rawValue)
        objective = try TokenizerObjective(options)
        optimizer = objective.optimizer(
            Muon(model.tokenizerWeights.trainable, learningRate: options.learningRate, weightDecay: 0.01))
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed)
        let pictures = Variable(.pictures(scenes.painted(size: model.configuration.pictureSize)))
        let features = model.tokenizer.features(pictures)
        if step == 0, part == .tokenizer { restarts.startCodes(from: features.value) }
        let indices = model.tokenizer.quantizer.indices(features.value)
        let codes = model.tokenizer.quantizer.features(
            indices, batch: features.shape[0], height: features.shape[2], width: features.shape[3])
        let difference = codes.value.copy()
        difference.accumulate(features.value, scale: -1)
        let codebook = SquaredError().apply([codes, features.detached])
        let committed = SquaredError().apply([features, codes.detached])
        let losses = objective.accumulate(
            model.tokenizer.decode(features + Variable(difference)), of: pictures, step: step,
            other: codebook + commitment * committed)
        let used = restarts.note(indices)
        if part == .tokenizer { restarts.restartIdleCodes(from: features.value, step: step) }
        return losses + [("codebook", codebook.scalar), ("used", Float(used))]
    }

    /// Rows of pictures never seen in training above their reconstructions.
    func sheet() -> Picture {
        let pictures = PretrainingOptions.heldOutPictures(size: model.configuration.pictureSize)
        return Grid.rows(
            of: 12,
            stride(from: 0, to: pictures.count, by: 12).flatMap { row in
                let originals = Array(pictures[row..<row + 12])
                return originals + model.pictures(model.codes(originals))
            })
    }
}
