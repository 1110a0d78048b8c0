import Autograd
import Backbones
import Images
import Layers
import LittleWorld
import Tensors

/// Pretraining of LlamaGen's transformer together with its text encoder, on the frozen tokenizer's codes: the next code
/// of every picture, with captions dropped for guidance.
final class LlamaGenTransformerPretraining: PretrainingStage {
    let name = "transformer"
    let optimizer: any Optimizer
    private let model: LlamaGenModel
    private let options: PretrainingOptions

    private enum Purpose: UInt64 { case drops = 52 }

    init(model: LlamaGenModel, options: PretrainingOptions) {
        self.model = model
        self.options = options
        model.freeze()
        model.transformerWeights.train { $0 != model.transformer.unconditional.name }
        model.textWeights.train { _ in true }
        optimizer = Muon(
            model.transformerWeights.trainable + model.textWeights.trainable, learningRate: options.learningRate,
            weightDecay: 0.02)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let loss = loss(
            of: options.scenes(step: step, seed: options.seed &+ 1),
            dropping: options.dropped(step: step, purpose: Purpose.drops.rawValue))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    func heldOutLoss() -> Float? { HeldOutLoss.mean { scenes, _ in loss(of: scenes) } }

    private func loss(of scenes: [Scene], dropping dropped: Set<Int> = []) -> Variable {
        let codes = model.codes(scenes.painted(size: model.configuration.pictureSize))
        return model.loss(model.encode(scenes.map(\.caption)), codes: codes, dropping: dropped)
    }

    /// Pictures of training captions above what the model makes of them.
    func sheet() -> Picture {
        options.sheet { captions, seeds in
            let text = Recording.withoutGradients { model.encode(captions) }
            return model.generate(text, sampling: model.sampling(seeds: seeds))
        }
    }
}
