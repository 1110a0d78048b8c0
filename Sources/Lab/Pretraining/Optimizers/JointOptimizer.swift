import Layers
import Tensors

/// Two rules that step together over parameters of different names, written down and restored as one.
final class JointOptimizer: Optimizer {
    private let rule, other: any Optimizer

    /// - Parameter other: steps beside `rule` at its own learning rate.
    init(_ rule: any Optimizer, beside other: any Optimizer) { (self.rule, self.other) = (rule, other) }

    var step: Int {
        get { rule.step }
        set { (rule.step, other.step) = (newValue, newValue) }
    }

    var learningRate: Float {
        get { rule.learningRate }
        set { rule.learningRate = newValue }
    }

    var memory: [(name: String, tensor: Tensor)] { rule.memory + other.memory }

    /// The norm of the first rule's gradients.
    func update() -> Float {
        other.update()
        return rule.update()
    }
}
