import Tensors

/// x held within bounds; the gradient is zero outside.
package struct Clamp: Operation {
    package static let name = "clamp"
    package static var examples: [OperationExample] {
        [OperationExample(Clamp(-1...0.5), [Tensor([-1.5, -0.7, 0.2, 0.4, 0.9, 2], shape: [2, 3])])]
    }
    let bounds: ClosedRange<Float>
    private var x: Tensor?
    /// The least and the largest value.
    package init(_ bounds: ClosedRange<Float>) { self.bounds = bounds }

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        self.x = x
        parallel(x.count, grain: 1 << 14) { range in
            for i in range { y.pointer[i] = min(max(x.pointer[i], bounds.lowerBound), bounds.upperBound) }
        }
        return y
    }

    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let x = x!
        let dx = Tensor(uninitialized: x.shape)
        parallel(x.count, grain: 1 << 14) { range in
            for i in range { dx.pointer[i] = bounds.contains(x.pointer[i]) ? dOutput.pointer[i] : 0 }
        }
        return [dx]
    }
}
