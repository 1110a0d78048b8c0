import Tensors

/// Everything an optimizer's next step reads: each parameter's value and moments, and the number of steps taken.
package struct OptimizerState {
    package let step: Int
    /// `value.<name>`, `first.<name>` and `second.<name>` for every parameter.
    package let tensors: [String: Tensor]

    package init(step: Int, tensors: [String: Tensor]) {
        self.step = step
        self.tensors = tensors
    }

    /// Looks at the optimizer's own memory: write it out before the next step.
    package init(_ optimizer: AdamW) {
        var tensors: [String: Tensor] = [:]
        for (parameter, moment) in zip(optimizer.parameters, optimizer.moments) {
            tensors["value.\(parameter.name)"] = parameter.value
            tensors["first.\(parameter.name)"] = moment.first
            tensors["second.\(parameter.name)"] = moment.second
        }
        self.init(step: optimizer.step, tensors: tensors)
    }

    /// The parameters alone, by name: what a finished training exports.
    package var values: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: tensors.compactMap { name, tensor in
            name.hasPrefix("value.") ? (String(name.dropFirst("value.".count)), tensor) : nil
        })
    }

    /// Puts the state into an optimizer over the same parameters.
    /// - Throws: `WeightsError` naming every parameter that is missing or has another shape; nothing is changed then.
    package func restore(_ optimizer: AdamW) throws(WeightsError) {
        var problems: [String] = []
        var assignments: [(Tensor, Tensor)] = []
        for (parameter, moment) in zip(optimizer.parameters, optimizer.moments) {
            for (key, target) in [("value", parameter.value), ("first", moment.first), ("second", moment.second)] {
                let name = "\(key).\(parameter.name)"
                if let saved = tensors[name], saved.shape == target.shape {
                    assignments.append((target, saved))
                } else {
                    problems.append("\(name) is missing or has another shape than \(target.shape)")
                }
            }
        }
        guard problems.isEmpty else { throw WeightsError(problems: problems) }
        for (target, saved) in assignments { target.assign(saved) }
        optimizer.step = step
    }
}
