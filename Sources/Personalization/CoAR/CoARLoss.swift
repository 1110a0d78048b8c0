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

    /// (1/N) Σ over layers of ‖P − mean‖², both [N, C].
    package static func regularization(_ image: Variable, mean: Tensor) -> Variable {
        Float(mean.width) * SquaredError().apply([image, Variable(mean)])
    }
}
