import Autograd
import Backbones
import Engine
import Glibc
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// Self-distillation (DINO, Caron et al., arXiv 2104.14294): a student that sees any crop of a picture must say what a
/// teacher says of its large crops. The teacher is the student's slow average; its answers are sharpened, and shared
/// out so that they do not all become one.
///
/// *Ours*: the crops that must agree are of two pictures of one individual in one style, so that the few pictures two
/// cores can show teach what an individual is.
final class DINOTraining: PretrainingStage {
    let name = "dino"
    let optimizer: any Optimizer
    private let student: DINONetwork
    private let teacher: DINOTeacher
    private let settings: SelfDistillation
    private let options: PretrainingOptions
    private let preparation: PicturePreparation

    private enum Purpose: UInt64 { case crops = 21 }
    private static let largeCrops = 2

    init(_ configuration: DINOModel.Configuration, _ settings: SelfDistillation, options: PretrainingOptions) {
        self.settings = settings
        self.options = options
        student = DINONetwork(configuration, settings, seed: options.seed)
        teacher = DINOTeacher(DINONetwork(configuration, settings, seed: options.seed), settings)
        preparation = .dino(side: configuration.pictureSize)
        student.weights.train { _ in true }
        let rule = Muon(student.weights.trainable, learningRate: options.learningRate, weightDecay: 0.04)
        optimizer = DistillingOptimizer(rule, student: student, teacher: teacher, steps: options.steps)
    }

    /// The divergence of the student's answers from the teacher's, and how many prototypes share one of the teacher's
    /// answers: nearly all of them before anything is learnt, and again should the answers become one.
    func accumulate(step: Int) -> [(name: String, value: Float)] {
        let (large, small) = views(step: step)
        let answers = teacher.answers(large)
        let loss = loss(large: student(large), small: student(small), answers: answers)
        loss.backward()
        return [("loss", loss.scalar), ("prototypes", answers.prototypesInAnAnswer)]
    }

    /// Large crops [2·B, 3, S, S], first one of every scene, then one of its companion, and small crops [n·B, 3, s, s]
    /// by turns.
    private func views(step: Int) -> (large: Tensor, small: Tensor) {
        let first = step * options.batch
        let scenes = options.scenes(step: step, seed: options.seed)
        let others = scenes.enumerated().map {
            LittleWorld.companion(of: $1, index: UInt64(first + $0), seed: options.seed)
        }
        let pictures = [scenes, others].map { $0.painted(size: settings.globalSide * 3 / 2) }
        func crops(_ augmentation: CropAugmentation, numbers: Range<Int>) -> Tensor {
            let views = numbers.flatMap { number in
                pictures[number % 2].enumerated().map { index, picture -> Picture in
                    var generator = Philox(
                        seed: options.seed, purpose: Purpose.crops.rawValue,
                        index: UInt64((first + index) << 8 + number))
                    return augmentation(picture, &generator)
                }
            }
            return preparation.normalized(views)
        }
        let large = DINOTraining.largeCrops
        return (
            crops(CropAugmentation(areas: 0.4...1, side: settings.globalSide), numbers: 0..<large),
            crops(
                CropAugmentation(areas: 0.3...0.7, side: settings.localSide),
                numbers: large..<large + settings.localCrops)
        )
    }

    /// The mean divergence over all pairs of a teacher's large crop and a crop of the other picture that the student
    /// saw: what both pictures share is the individual and the style, so that no backdrop can answer for it.
    private func loss(large: Variable, small: Variable, answers: Tensor) -> Variable {
        let batch = options.batch
        let sharpen = 1 / settings.studentTemperature
        let students =
            (0..<DINOTraining.largeCrops).map { large.rows($0 * batch..<($0 + 1) * batch) }
            + (0..<settings.localCrops).map { small.rows($0 * batch..<($0 + 1) * batch) }
        let terms = (0..<DINOTraining.largeCrops).flatMap { view -> [Variable] in
            let answer = Variable(answers.slice(view * batch..<(view + 1) * batch))
            return students.enumerated().filter { ($0.offset - view) % 2 != 0 }.map {
                Divergence().apply([sharpen * $0.element, answer])
            }
        }
        return (1 / Float(terms.count)) * terms.dropFirst().reduce(terms[0], +)
    }

    /// Individuals never seen in training, and the pictures that the teacher holds for their nearest.
    func sheet() -> Picture { NeighbourSheet.picture(of: DINOEncoder(name: name, model: teacher.network.model)) }
}

extension Variable {
    /// Rows `range` of [R, C].
    fileprivate func rows(_ range: Range<Int>) -> Variable {
        reshaped([1, shape[0], shape[1]]).tokens(range).reshaped([range.count, shape[1]])
    }
}

extension Tensor {
    /// exp of the mean entropy of the rows' softmax: 1 when every answer names one class, the number of classes when
    /// all say nothing.
    var prototypesInAnAnswer: Float {
        let entropies = (0..<rows).map { row -> Double in
            let values = slice(row..<row + 1).values
            let largest = values.max()!
            let powers = values.map { exp(Double($0 - largest)) }
            let sum = powers.reduce(0, +)
            return powers.reduce(0) { $1 > 0 ? $0 - $1 / sum * log($1 / sum) : $0 }
        }
        return Float(exp(entropies.reduce(0, +) / Double(rows)))
    }
}
