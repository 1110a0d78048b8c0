import Tensors

/// What training needs of an optimizer, whatever its rule: to take a step, and to be written down and restored to the
/// bit.
package protocol Optimizer: AnyObject {
    /// Steps taken.
    var step: Int { get set }
    var learningRate: Float { get set }
    /// Everything the next step reads, by name: `value.<parameter>` and what the rule keeps beside it.
    var memory: [(name: String, tensor: Tensor)] { get }
    /// One update from the gradients that have arrived, which are then forgotten. Returns their global norm before
    /// clipping.
    @discardableResult func update() -> Float
}

extension AdamW: Optimizer {
    package var learningRate: Float {
        get { options.learningRate }
        set { options.learningRate = newValue }
    }

    package var memory: [(name: String, tensor: Tensor)] {
        zip(parameters, moments).flatMap { parameter, moment in
            [
                ("value.\(parameter.name)", parameter.value), ("first.\(parameter.name)", moment.first),
                ("second.\(parameter.name)", moment.second),
            ]
        }
    }
}
