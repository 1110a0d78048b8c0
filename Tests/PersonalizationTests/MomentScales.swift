import Layers

extension OptimizerState {
    /// Whether moments of matrices are kept in codes, whose scales are rows of numbers.
    var hasScales: Bool {
        get throws { try tensors.contains { $0.key.hasPrefix("first.") && $0.value.shape.count == 1 } }
    }
}
