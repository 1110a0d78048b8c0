import Tensors

/// What training needs of an optimizer, whatever its rule: to take a step, and to be written down and restored to the
/// bit.
package protocol Optimizer: AnyObject {
    /// Steps taken.
    var step: Int { get set }
    /// A schedule sets it before every step.
    var learningRate: Float { get set }
    /// Everything the next step reads, by name: `value.<parameter>` and what the rule keeps beside it.
    var memory: [(name: String, tensor: Tensor)] { get }
    /// What the rule keeps of that in codes; nothing unless it says otherwise.
    var codes: [(name: String, codes: ByteTensor)] { get }
    /// One update from the gradients that have arrived, which are then forgotten. Returns their global norm before
    /// clipping.
    @discardableResult func update() -> Float
}

extension Optimizer {
    /// No rule keeps codes unless it says so.
    package var codes: [(name: String, codes: ByteTensor)] { [] }
}

extension AdamW: Optimizer {
    /// That of the options.
    package var learningRate: Float {
        get { options.learningRate }
        set { options.learningRate = newValue }
    }

    /// Values, and both moments, or the scales of their codes.
    package var memory: [(name: String, tensor: Tensor)] {
        parameters.enumerated().flatMap { index, parameter in
            let (first, second) = numbers(of: index)
            return [
                ("value.\(parameter.name)", parameter.value), ("first.\(parameter.name)", first),
                ("second.\(parameter.name)", second),
            ]
        }
    }

    /// Of the parameters whose moments are kept in eight bits.
    package var codes: [(name: String, codes: ByteTensor)] {
        parameters.enumerated().flatMap { index, parameter in
            codes(of: index).map {
                [("first.codes.\(parameter.name)", $0.first), ("second.codes.\(parameter.name)", $0.second)]
            } ?? []
        }
    }
}
