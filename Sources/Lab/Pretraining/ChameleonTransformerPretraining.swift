import Autograd
import Backbones
import Engine
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// Pretraining of the unified transformer on captions and the frozen tokenizer's codes, with prompts dropped for
/// guidance: the next token of every picture.
final class ChameleonTransformerPretraining: PretrainingStage {
    let name = "transformer"
    let optimizer: any Optimizer
    private let model: ChameleonModel
    private let options: PretrainingOptions
    private let dropShare: Float = 0.1

    private enum Purpose: UInt64 { case drops = 32 }

    init(model: ChameleonModel, options: PretrainingOptions) {
        self.model = model
        self.options = options
        model.freeze()
        model.transformerWeights.train { _ in true }
        optimizer = Muon(model.transformerWeights.trainable, learningRate: options.learningRate, weightDecay: 0.02)
    }

    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed &+ 1)
        var drops = Philox(seed: options.seed, purpose: Purpose.drops.rawValue, index: UInt64(step))
        let codes = model.codes(scenes.painted(size: model.configuration.pictureSize))
        let batch = ChameleonBatch(
            zip(scenes, codes).map { scene, codes in
                model.sequence(drops.uniform() < dropShare ? nil : scene.caption, codes: codes)
            })
        let loss = batch.loss(model.transformer.logits(batch.ids, batch: batch.count))
        loss.backward()
        return [("loss", loss.scalar)]
    }

    /// Pictures of training captions above what the model makes of them.
    func sheet() -> Picture {
        options.sheet { captions, seeds in
            let prompts = captions.map { ChameleonPrompt(ids: model.ids(before: $0)) }
            return model.generate(prompts, sampling: model.sampling(seeds: seeds))
        }
    }
}
