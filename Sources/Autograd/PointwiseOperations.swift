import CKernels
import Glibc
import Tensors

private let grain = 1 << 14

/// Splits a pointwise kernel over the threads.
private func pointwise(_ count: Int, _ body: (Int, Int) -> Void) {
    parallel(count, grain: grain) { body($0.lowerBound, $0.count) }
}

/// a + b, same shape.
package struct Add: Operation {
    package static let name = "add"
    package static var examples: [OperationExample] {
        [OperationExample(Add(), [.example([2, 3]), .example([2, 3], seed: 2)])]
    }
    package init() {}

    /// a and b of one shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        inputs[0].adding(inputs[1])
    }

    /// ∂/∂a = ∂/∂b = ∂/∂y, one tensor for both.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [dOutput, dOutput] }
}

/// x[r, c] + v[g, c] with g = (r / rowsPerGroup) mod groups: a bias, a position embedding, or one vector per sample.
package struct AddRows: Operation {
    package static let name = "addRows"
    package static var examples: [OperationExample] {
        [
            OperationExample(AddRows(rowsPerGroup: 3), [.example([2, 3, 4]), .example([2, 4], seed: 2)]),
            OperationExample(AddRows(rowsPerGroup: 1), [.example([2, 3, 4]), .example([3, 4], seed: 2)]),
        ]
    }
    let rowsPerGroup: Int
    private var vectorShape: [Int] = []
    /// Rows of x that get the same row of v.
    package init(rowsPerGroup: Int) { self.rowsPerGroup = rowsPerGroup }

    /// x [.., C], v [groups, C] → [.., C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let v = inputs[1]
        vectorShape = v.shape
        let y = Tensor(uninitialized: x.shape)
        parallel(x.rows, grain: 16) {
            atelier_add_rows(
                y.pointer, x.pointer, v.pointer, $0.lowerBound, $0.upperBound, x.width, rowsPerGroup, v.count / x.width)
        }
        return y
    }

    /// ∂/∂x [.., C], ∂/∂v [groups, C], from ∂/∂y [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        guard needs[1] else { return [dOutput, nil] }
        let dv = Tensor(zeros: vectorShape)
        parallel(dOutput.width, grain: 16) {
            atelier_reduce_rows(
                dv.pointer, dOutput.pointer, nil, dOutput.rows, dOutput.width, rowsPerGroup, dv.count / dOutput.width,
                $0.lowerBound,
                $0.upperBound)
        }
        return [dOutput, dv]
    }
}

/// a · b elementwise, same shape.
package struct Multiply: Operation {
    package static let name = "multiply"
    package static var examples: [OperationExample] {
        [OperationExample(Multiply(), [.example([2, 3]), .example([2, 3], seed: 2)])]
    }
    package static let isCheap = true
    @Kept private var saved: [Tensor] = []
    package init() {}

    /// a and b of one shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        precondition(inputs[0].count == inputs[1].count, "multiply: \(inputs[0].shape) and \(inputs[1].shape)")
        saved = inputs
        return Multiply.product(inputs[0], inputs[1])
    }

    /// ∂/∂a and ∂/∂b like a, from ∂/∂y like a.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        func product(by index: Int) -> Tensor { Multiply.product(dOutput, $saved[index].tensor) }
        return [needs[0] ? product(by: 1) : nil, needs[1] ? product(by: 0) : nil]
    }

    private static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        let y = Tensor(uninitialized: a.shape)
        pointwise(y.count) { atelier_multiply(y.pointer + $0, a.pointer + $0, b.pointer + $0, $1) }
        return y
    }
}

/// x[r, c] · v[r / rowsPerGroup, c]: a gate per sample.
package struct MultiplyRows: Operation {
    package static let name = "multiplyRows"
    package static var examples: [OperationExample] {
        [OperationExample(MultiplyRows(rowsPerGroup: 3), [.example([2, 3, 4]), .example([2, 4], seed: 2)])]
    }
    package static let isCheap = true
    let rowsPerGroup: Int
    @Kept private var saved: [Tensor] = []
    /// Rows of x that get the same row of v.
    package init(rowsPerGroup: Int) { self.rowsPerGroup = rowsPerGroup }

    /// x [.., C], v [rows/rowsPerGroup, C] → [.., C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        saved = inputs
        return scaled(inputs[0], by: inputs[1])
    }

    /// ∂/∂x [.., C], ∂/∂v like v, from ∂/∂y [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let v = $saved[1].tensor
        var dv: Tensor?
        if needs[1] {
            let x = $saved[0].tensor
            let gradient = Tensor(zeros: v.shape)
            parallel(x.width, grain: 16) {
                atelier_reduce_rows(
                    gradient.pointer, dOutput.pointer, x.pointer, x.rows, x.width, rowsPerGroup, v.count / x.width,
                    $0.lowerBound,
                    $0.upperBound)
            }
            dv = gradient
        }
        return [needs[0] ? scaled(dOutput, by: v) : nil, dv]
    }

    /// What `forward` would keep, without its product.
    fileprivate mutating func keep(_ inputs: Kept) { _saved = inputs }

    private func scaled(_ x: Tensor, by v: Tensor) -> Tensor {
        let y = Tensor(uninitialized: x.shape)
        parallel(x.rows, grain: 16) {
            atelier_multiply_rows(y.pointer, x.pointer, v.pointer, $0.lowerBound, $0.upperBound, x.width, rowsPerGroup)
        }
        return y
    }
}

/// x[r, c] + y[r, c] · v[r / rowsPerGroup, c]: a branch, gated per sample, added to the stream it left.
package struct AddGatedRows: Operation {
    package static let name = "addGatedRows"
    package static var examples: [OperationExample] {
        [
            OperationExample(
                AddGatedRows(rowsPerGroup: 3),
                [.example([2, 3, 4]), .example([2, 3, 4], seed: 2), .example([2, 4], seed: 3)])
        ]
    }
    let rowsPerGroup: Int
    @Kept private var saved: [Tensor] = []

    /// Rows of x, one after the other, that share a row of v.
    package init(rowsPerGroup: Int) { self.rowsPerGroup = rowsPerGroup }

    /// x [.., C], y [.., C], v [groups, C] → [.., C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let (x, y, v) = (inputs[0], inputs[1], inputs[2])
        precondition(x.count == y.count, "addGatedRows: \(x.shape) and \(y.shape)")
        saved = [y, v]
        let z = Tensor(uninitialized: x.shape)
        parallel(x.rows, grain: 16) {
            atelier_add_gated_rows(
                z.pointer, x.pointer, y.pointer, v.pointer, $0.lowerBound, $0.upperBound, x.width, rowsPerGroup)
        }
        return z
    }

    /// ∂/∂x and ∂/∂y [.., C], ∂/∂v [groups, C], from ∂/∂z [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        var product = MultiplyRows(rowsPerGroup: rowsPerGroup)
        product.keep(_saved)
        return [dOutput] + product.backward(dOutput, needs: Array(needs.dropFirst()))
    }
}

/// factor · x.
package struct Scale: Operation {
    package static let name = "scale"
    package static var examples: [OperationExample] { [OperationExample(Scale(by: -1.5), [.example([2, 3])])] }
    let factor: Float
    /// The constant to multiply by.
    package init(by factor: Float) { self.factor = factor }

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor { scaled(inputs[0]) }
    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [scaled(dOutput)] }

    private func scaled(_ x: Tensor) -> Tensor {
        let y = Tensor(uninitialized: x.shape)
        pointwise(y.count) { atelier_scale(y.pointer + $0, x.pointer + $0, factor, $1) }
        return y
    }
}

/// GELU (Hendrycks and Gimpel 2016): x·Φ(x), or what a model's authors computed for it.
package struct GELU: Operation {
    /// Which of its three formulas.
    package enum Form: Sendable {
        /// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
        case tanh
        case exact
        /// x·sigmoid(1.702·x), of OpenAI's CLIP.
        case quick
    }

    package static let name = "gelu"
    package static var examples: [OperationExample] {
        [Form.tanh, .exact, .quick].map { OperationExample(GELU($0), [.example([3, 7], scale: 2)]) }
    }
    package static let isCheap = true
    let form: Form
    @Kept private var saved: [Tensor] = []
    /// The form the model was trained with.
    package init(_ form: Form = .tanh) { self.form = form }

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        let form = form
        saved = inputs
        pointwise(y.count) {
            switch form {
            case .tanh: atelier_gelu(y.pointer + $0, x.pointer + $0, $1)
            case .exact: atelier_gelu_exact(y.pointer + $0, x.pointer + $0, $1)
            case .quick: atelier_swish(y.pointer + $0, x.pointer + $0, 1.702, $1)
            }
        }
        return y
    }

    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialized: dOutput.shape)
        let x = saved[0]
        pointwise(dx.count) {
            switch form {
            case .tanh: atelier_gelu_backward(dx.pointer + $0, x.pointer + $0, dOutput.pointer + $0, $1)
            case .exact: atelier_gelu_exact_backward(dx.pointer + $0, x.pointer + $0, dOutput.pointer + $0, $1)
            case .quick: atelier_swish_backward(dx.pointer + $0, x.pointer + $0, dOutput.pointer + $0, 1.702, $1)
            }
        }
        return [dx]
    }
}

/// x · sigmoid(x), also called swish.
package struct SiLU: Operation {
    package static let name = "silu"
    package static var examples: [OperationExample] { [OperationExample(SiLU(), [.example([3, 7], scale: 2)])] }
    package static let isCheap = true
    @Kept private var saved: [Tensor] = []
    package init() {}

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        saved = inputs
        pointwise(y.count) { atelier_swish(y.pointer + $0, x.pointer + $0, 1, $1) }
        return y
    }

    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialized: dOutput.shape)
        let x = saved[0]
        pointwise(dx.count) { atelier_swish_backward(dx.pointer + $0, x.pointer + $0, dOutput.pointer + $0, 1, $1) }
        return [dx]
    }
}

/// max(x, 0), NaN where x is; the gradient at zero is zero.
package struct ReLU: Operation {
    package static let name = "relu"
    package static var examples: [OperationExample] {
        [OperationExample(ReLU(), [Tensor([-1.2, -0.3, 0.4, 0.9, 2, -2], shape: [2, 3])])]
    }
    private var y: Tensor?
    package init() {}

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        self.y = y
        pointwise(y.count) { atelier_relu(y.pointer + $0, x.pointer + $0, $1) }
        return y
    }

    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialized: dOutput.shape)
        let y = y!
        pointwise(dx.count) { atelier_relu_backward(dx.pointer + $0, y.pointer + $0, dOutput.pointer + $0, $1) }
        return [dx]
    }
}

/// exp(min(x, limit)): the learned gain of normalized queries; beyond the limit the gradient is zero.
package struct ExponentialGain: Operation {
    package static let name = "exponentialGain"
    package static var examples: [OperationExample] {
        [OperationExample(ExponentialGain(limit: 0.9), [Tensor([-1, 0.3, 0.7, 1.4], shape: [4])])]
    }
    let limit: Float
    private var x: Tensor?
    private var y: Tensor?
    /// `limit` bounds the exponent.
    package init(limit: Float) { self.limit = limit }

    /// x of any shape → that shape.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let y = Tensor(inputs[0].values.map { exp(min($0, limit)) }, shape: inputs[0].shape)
        x = inputs[0]
        self.y = y
        return y
    }

    /// ∂/∂x like x, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(uninitialized: dOutput.shape)
        for i in 0..<dx.count { dx.pointer[i] = x!.pointer[i] < limit ? dOutput.pointer[i] * y!.pointer[i] : 0 }
        return [dx]
    }
}
