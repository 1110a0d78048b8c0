import Layers
import Tensors

/// A rule with which is written down and restored what a stage's next step reads beside it.
final class RememberingOptimizer: WrappingOptimizer {
    let rule: any Optimizer
    private let others: [(name: String, tensor: Tensor)]

    /// - Parameter others: by names that the rule has none of.
    init(_ rule: any Optimizer, beside others: [(name: String, tensor: Tensor)]) {
        (self.rule, self.others) = (rule, others)
    }

    var memory: [(name: String, tensor: Tensor)] { rule.memory + others }

    func update() -> Float { rule.update() }
}
