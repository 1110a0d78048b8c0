import Autograd
import Backbones
import Layers
import Tensors

/// CoAR's objective (arXiv 2508.07341, section 3).
package enum CoARLoss {
    /// KL(frozen ‖ current), mean over the tokens asked for; logits [1, T, V], teacher [asked, V].
    package static func divergence(_ logits: Variable, asked: Range<Int>, teacher: Tensor) -> Variable {
        Divergence().apply([logits.tokens(asked).reshaped(teacher.shape), Variable(teacher)])
    }

    /// What a model says now of all that a sequence asks for, to be held to later: logits [asked, V].
    static func teacher(_ model: ChameleonModel, of sequence: ChameleonSequence) -> Tensor {
        let logits = Recording.withoutGradients { model.transformer.logits(sequence.ids, batch: 1).value }
        return logits.reshaped([sequence.ids.count, logits.width]).slice(sequence.asked).copy()
    }

    /// (1/N) Σ over layers of ‖P − mean‖², both [N, C].
    package static func regularization(_ image: Variable, mean: Tensor) -> Variable {
        Float(mean.width) * SquaredError().apply([image, Variable(mean)])
    }
}
