import Tensors

/// Everything an optimizer's next step reads: each parameter's value, what the rule keeps beside it, and the number of
/// steps taken.
package struct OptimizerState {
    package let step: Int
    /// The optimizer's `memory`: `value.<parameter>` and what its rule keeps beside it.
    package let tensors: [String: Tensor]

    package init(step: Int, tensors: [String: Tensor]) {
        self.step = step
        self.tensors = tensors
    }

    /// Looks at the optimizer's own memory: write it out before the next step.
    package init(_ optimizer: some Optimizer) {
        self.init(
            step: optimizer.step,
            tensors: Dictionary(uniqueKeysWithValues: optimizer.memory.map { ($0.name, $0.tensor) }))
    }

    /// The parameters alone, by name: what a finished training exports.
    package var values: [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: tensors.compactMap { name, tensor in
                name.hasPrefix("value.") ? (String(name.dropFirst("value.".count)), tensor) : nil
            })
    }

    /// Puts the state into an optimizer over the same parameters.
    /// - Throws: `WeightsError` naming everything that is missing, has another shape or is no number; nothing is
    ///   changed then.
    package func restore(_ optimizer: some Optimizer) throws(WeightsError) {
        var problems: [String] = []
        for (name, target) in optimizer.memory where tensors[name]?.shape != target.shape {
            problems.append("\(name) is missing or has another shape than \(target.shape)")
        }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) where !tensor.isFinite {
            problems.append("\(name) holds values that are no numbers")
        }
        guard problems.isEmpty else { throw WeightsError(problems: problems) }
        for (name, target) in optimizer.memory { target.assign(tensors[name]!) }
        optimizer.step = step
    }
}
