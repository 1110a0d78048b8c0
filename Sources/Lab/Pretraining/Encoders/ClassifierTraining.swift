import Autograd
import Engine
import Evaluation
import Images
import Layers
import LittleWorld
import Tensors

/// Training of the classifier on Little World's labels alone: the sum of the cross-entropies of its heads, on
/// augmented pictures.
final class ClassifierTraining: PretrainingStage {
    let name = "classifier"
    let optimizer: any Optimizer
    private let classifier: AttributeClassifier
    private let options: PretrainingOptions
    private let augmentation = ClassifierAugmentation()

    init(classifier: AttributeClassifier, options: PretrainingOptions) {
        self.classifier = classifier
        self.options = options
        classifier.weights.train { _ in true }
        optimizer = Muon(classifier.weights.trainable, learningRate: options.learningRate, weightDecay: 0.02)
    }

    /// The loss, and the share of right verdicts a trait.
    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let scenes = options.scenes(step: step, seed: options.seed)
        let pictures = Tensor.pictures(scenes.painted(size: classifier.configuration.pictureSize))
        let truths = scenes.map { TraitLabels($0) }
        augmentation.apply(to: pictures, seed: options.seed, first: step * options.batch)
        let logits = classifier.logits(Variable(pictures))
        let losses = zip(logits, PictureTrait.allCases).map { head, trait in
            CrossEntropy(targets: truths.map { Int32($0[trait] ?? -1) }).apply([head])
        }
        let loss = losses.dropFirst().reduce(losses[0], +)
        loss.backward()
        let score = AttributeScore(AttributeClassifier.verdicts(logits), truths: truths)
        return [("loss", loss.scalar)] + PictureTrait.allCases.map { ($0.rawValue, Float(score.accuracy($0) ?? 1)) }
    }

    /// What the classifier gets wrong of pictures never seen in training.
    func sheet() -> Picture {
        let scenes = HeldOutScenes.known(count: 400)
        let pictures = scenes.painted(size: classifier.configuration.pictureSize)
        let sheet = MistakeSheet(
            pictures: pictures, captions: scenes.map(\.caption), truths: scenes.map { TraitLabels($0) },
            verdicts: classifier.verdicts(pictures))
        return sheet.picture() ?? Grid.rows(of: 20, pictures)
    }
}
