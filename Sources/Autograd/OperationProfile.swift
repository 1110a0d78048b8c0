import Tensors

/// What operations cost while it is current: seconds by name, forward and backward, and the floating-point operations
/// of the products that their shapes ask for, whatever way they are computed. A multiplication with its addition counts
/// as two.
///
/// `@unchecked Sendable`: operations are applied, and gradients sent back, by the one task that made it current.
package final class OperationProfile: @unchecked Sendable {
    /// Of all operations of one name.
    package struct Cost {
        /// Time in `forward`.
        package var forward = Duration.zero
        /// Time in `backward`.
        package var backward = Duration.zero
        /// Floating-point operations of the products.
        package var operations = 0.0
    }

    /// Where operations of the current task add their costs, if anywhere.
    @TaskLocal package static var current: OperationProfile?

    /// By operation name.
    package private(set) var costs: [String: Cost] = [:]
    package init() {}

    /// Floating-point operations of all.
    package var operations: Double { costs.values.reduce(0) { $0 + $1.operations } }

    func addForward(_ operation: any Operation, _ time: Duration) {
        costs[type(of: operation).name, default: Cost()].forward += time
        costs[type(of: operation).name]!.operations += 2 * Double(operation.products.forward)
    }

    /// Each input that needs a gradient costs its own product.
    func addBackward(_ operation: any Operation, needs: [Bool], _ time: Duration) {
        costs[type(of: operation).name, default: Cost()].backward += time
        let perInput = operation.products.backward
        let needed = zip(perInput, needs).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
        costs[type(of: operation).name]!.operations += 2 * Double(needed)
    }
}

extension Operation {
    /// None, for operations without a product.
    package var products: Products { Products() }

    mutating func profiledForward(_ inputs: [Tensor]) -> Tensor {
        guard let profile = OperationProfile.current else { return forward(inputs) }
        let start = ContinuousClock.now
        let output = forward(inputs)
        profile.addForward(self, ContinuousClock.now - start)
        return output
    }

    func profiledBackward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        guard let profile = OperationProfile.current else { return backward(dOutput, needs: needs) }
        let start = ContinuousClock.now
        let gradients = backward(dOutput, needs: needs)
        profile.addBackward(self, needs: needs, ContinuousClock.now - start)
        return gradients
    }
}

/// Multiplications, each with its addition, that an operation's shapes ask for: forward, and backward for each input's
/// gradient. Known after `forward`.
package struct Products {
    /// Of the output.
    package var forward = 0
    /// Of each input's gradient.
    package var backward: [Int] = []
    /// None unless given.
    package init(forward: Int = 0, backward: [Int] = []) { (self.forward, self.backward) = (forward, backward) }
}
