import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Tensors

/// Pretraining of the unified transformer on captions and the frozen tokenizer's codes, with prompts dropped for
/// guidance: the next token of every picture.
final class ChameleonTransformerPretraining: PretrainingStage {
    let name = "transformer"
    let optimizer: any Optimizer
    private let model: ChameleonModel
    private let options: PretrainingOptions

    private enum Purpose: UInt64 {
        case drops = 32
        case manners
    }

    init(model: ChameleonModel, options: PretrainingOptions) {
        self.model = model
        self.options = options
        model.freeze()
        model.transformerWeights.train { _ in true }
        optimizer = Muon(model.transformerWeights.trainable, learningRate: options.learningRate, weightDecay: 0.02)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let loss = loss(
            of: options.scenesInManners(
                step: step, seed: options.seed &+ 1, purpose: Purpose.manners.rawValue),
            dropping: options.dropped(step: step, purpose: Purpose.drops.rawValue))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    func heldOutLoss() -> Float? { HeldOutLoss.mean { scenes, _ in loss(of: scenes) } }

    private func loss(of scenes: [Scene], dropping dropped: Set<Int> = []) -> Variable {
        let codes = model.codes(scenes.painted(size: model.configuration.pictureSize))
        let batch = ChameleonBatch(
            scenes.indices.map { model.sequence(dropped.contains($0) ? nil : scenes[$0].caption, codes: codes[$0]) })
        return batch.loss(model.transformer.logits(batch.ids, batch: batch.count))
    }

    /// Pictures of training captions above what the model makes of them.
    func sheet() -> Picture {
        options.sheet { captions, seeds in
            let prompts = captions.map { ChameleonPrompt(ids: model.ids(before: $0)) }
            return model.generate(prompts, sampling: model.sampling(seeds: seeds))
        }
    }
}
