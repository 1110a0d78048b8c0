import Autograd
import Backbones
import Engine
import Evaluation
import Glibc
import Images
import Layers
import LittleWorld
import Tensors

/// Contrastive training of CLIP (Radford et al. 2021): each picture of a batch must find its own caption among all, and
/// each caption its picture; the mean of both cross-entropies, on pictures augmented as the classifier's are.
final class CLIPTraining: PretrainingStage {
    let name = "clip"
    let optimizer: any Optimizer
    private let encoder: CLIPEncoder
    private let options: PretrainingOptions
    private let augmentation = ClassifierAugmentation()

    init(encoder: CLIPEncoder, weights: Weights, options: PretrainingOptions) {
        self.encoder = encoder
        self.options = options
        weights.train { _ in true }
        optimizer = Muon(weights.trainable, learningRate: options.learningRate, weightDecay: 0.05)
    }

    /// The loss, and the share of pictures and captions that find each other.
    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let first = step * options.batch
        let scenes = scenes(step: step)
        let scale = encoder.model.logitScale.value
        scale.fill(min(scale.pointer[0], log(100)))
        let pictures = encoder.model.embeddings(pictures: Variable(prepared(scenes, first: first)))
        let texts = encoder.model.embeddings(texts: scenes.map { encoder.marked($0.caption) })
        let targets = (0..<Int32(options.batch)).map { $0 }
        let byPicture = encoder.model.logits(pictures, texts)
        let byText = encoder.model.logits(texts, pictures)
        let loss =
            0.5 * (CrossEntropy(targets: targets).apply([byPicture]) + CrossEntropy(targets: targets).apply([byText]))
        loss.backward()
        return [
            ("loss", loss.scalar), ("found", (CLIPTraining.found(byPicture) + CLIPTraining.found(byText)) / 2),
            ("scale", exp(scale.pointer[0])),
        ]
    }

    /// Scenes of which each group shares place and style, every second one the colour too, so that only the subject
    /// tells them apart: among scenes drawn at random place, style and colour nearly always do, and the class was never
    /// learnt.
    private func scenes(step: Int) -> [Scene] {
        let drawn = options.scenes(step: step, seed: options.seed)
        return drawn.enumerated().map { index, scene in
            let group = index / CLIPTraining.group
            return scene.moved(to: drawn[group * CLIPTraining.group], takingColour: group % 2 == 1)
        }
    }

    private static let group = 16

    private func prepared(_ scenes: [Scene], first: Int) -> Tensor {
        let pictures = Tensor.pictures(scenes.painted(size: encoder.model.configuration.vision.pictureSize))
        augmentation.apply(to: pictures, seed: options.seed, first: first)
        encoder.preparation.normalize(pictures)
        return pictures
    }

    /// The share of rows whose largest logit stands on the diagonal.
    private static func found(_ logits: Variable) -> Float {
        let rows = logits.shape[0]
        let right = (0..<rows).count { row in
            let values = logits.value.slice(row..<row + 1).values
            return values.indices.max { values[$0] < values[$1] } == row
        }
        return Float(right) / Float(rows)
    }

    /// Pictures never seen in training, and beside each those that the encoder holds for nearest to its caption's
    /// words.
    func sheet() -> Picture { NeighbourSheet.picture(of: encoder) }
}
