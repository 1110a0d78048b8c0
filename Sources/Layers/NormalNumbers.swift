import Randomness
import Tensors

extension Tensor {
    /// Standard normal numbers of `shape`, drawn in the elements' order.
    package init(normal shape: [Int], _ generator: inout Philox) {
        self.init(uninitialized: shape)
        for i in 0..<count { pointer[i] = generator.normal() }
    }
}
