import CKernels
import Tensors

/// y[.., O] = x[.., I] · wᵀ[I, O] (+ b[O]); w is [O, I] as PyTorch keeps it. Inputs: x, w, and b when there is one.
package struct Linear: Operation {
    package static let name = "linear"
    package static var examples: [OperationExample] {
        [
            OperationExample(Linear(), [.example([2, 3, 5]), .example([4, 5], seed: 2), .example([4], seed: 3)]),
            OperationExample(Linear(), [.example([6, 2]), .example([3, 2], seed: 2)]),
        ]
    }
    @Kept private var saved: [Tensor] = []
    package init() {}

    /// x [.., I], w [O, I] (, b [O]) → [.., O].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let w = inputs[1]
        let rows = x.rows
        let width = w.shape[0]
        let inner = x.width
        precondition(w.shape.count == 2 && w.shape[1] == inner, "linear: x \(x.shape) does not fit w \(w.shape)")
        saved = [x, w]
        let y = Tensor(uninitialized: x.shape.dropLast() + [width])
        let bias = inputs.count > 2 ? inputs[2] : nil
        multiply(
            Matrix(x.pointer, stride: inner), Matrix(w.pointer, stride: inner, transposed: true),
            into: Matrix(y.pointer, stride: width),
            m: rows, n: width, k: inner, bias: bias?.pointer)
        return y
    }

    /// ∂/∂x [.., I], ∂/∂w [O, I] (, ∂/∂b [O]), from ∂/∂y [.., O].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let w = $saved[1].tensor
        let rows = dOutput.rows
        let (width, inner) = (w.shape[0], w.shape[1])
        let dy = Matrix(dOutput.pointer, stride: width)
        var result: [Tensor?] = [nil, nil, nil]
        if needs[0] {
            let dx = Tensor(uninitialized: $saved[0].shape)
            multiply(
                dy, Matrix(w.pointer, stride: inner), into: Matrix(dx.pointer, stride: inner), m: rows, n: inner,
                k: width)
            result[0] = dx
        }
        if needs[1] {
            let x = $saved[0].tensor
            let dw = Tensor(uninitialized: w.shape)
            multiply(
                Matrix(dOutput.pointer, stride: width, transposed: true), Matrix(x.pointer, stride: inner),
                into: Matrix(dw.pointer, stride: inner), m: width, n: inner, k: rows)
            result[1] = dw
        }
        if needs.count > 2, needs[2] {
            let db = Tensor(zeros: [width])
            parallel(width, grain: 64) {
                atelier_reduce_rows(
                    db.pointer, dOutput.pointer, nil, rows, width, max(rows, 1), 1, $0.lowerBound, $0.upperBound)
            }
            result[2] = db
        }
        return result
    }

    /// Of x and w; as many for the gradient of each.
    package var products: Products {
        let each = $saved[0].shape.reduce(1, *) * $saved[1].shape[0]
        return Products(forward: each, backward: [each, each, 0])
    }
}
