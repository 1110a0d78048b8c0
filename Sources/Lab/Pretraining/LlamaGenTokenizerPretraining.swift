import Autograd
import Backbones
import Images
import Layers
import LittleWorld
import Tensors

/// Pretraining of LlamaGen's VQGAN: reconstruct Little World's pictures through codes that are compared on the unit
/// sphere (Sun et al., arXiv 2406.06525, section 3.1), with codes that nobody uses started anew.
///
/// As the stage `decoder` it leaves the encoder and the codebook, and with them every code, as they are.
///
/// Loss: reconstruction, perceptual and adversarial terms (`TokenizerObjective`) + codebook ‖sg(z) − c‖²
/// + commitment β ‖z − sg(c)‖², both of length one.
final class LlamaGenTokenizerPretraining: PretrainingStage {
    private static let commitment: Float = 0.25

    private let part: TokenizerPretraining.Part
    var name: String { part.rawValue }
    let optimizer: any Optimizer
    private let model: LlamaGenModel
    private let options: PretrainingOptions
    private let objective: TokenizerObjective
    private var restarts: CodeRestarts

    private enum Purpose: UInt64 { case restarts = 51 }

    init(_ part: TokenizerPretraining.Part, of model: LlamaGenModel, options: PretrainingOptions) throws {
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
        let features = model.tokenizer.normalized(model.tokenizer.features(pictures))
        if step == 0, part == .tokenizer { restarts.startCodes(from: features.value) }
        let indices = model.tokenizer.indices(features)
        let codes = model.tokenizer.features(
            indices, batch: features.shape[0], height: features.shape[2], width: features.shape[3])
        let difference = codes.value.copy()
        difference.accumulate(features.value, scale: -1)
        // Numbers of length one are small: over the width of a code their squares sum to the distance.
        let width = Float(features.shape[1])
        let codebook = width * SquaredError().apply([codes, features.detached])
        let committed = width * SquaredError().apply([features, codes.detached])
        let losses = objective.accumulate(
            model.tokenizer.decode(features + Variable(difference)), of: pictures, step: step,
            other: codebook + LlamaGenTokenizerPretraining.commitment * committed)
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
