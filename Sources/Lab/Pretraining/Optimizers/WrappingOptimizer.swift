import Layers

/// A rule with something beside it: its steps and its learning rate are the rule's.
protocol WrappingOptimizer: Optimizer {
    var rule: any Optimizer { get }
}

extension WrappingOptimizer {
    var step: Int {
        get { rule.step }
        set { rule.step = newValue }
    }

    var learningRate: Float {
        get { rule.learningRate }
        set { rule.learningRate = newValue }
    }
}
