import CKernels
import Tensors

/// y[.., O] = x[.., I] · wᵀ[I, O] (+ b[O]) with weights that stay as their file has them and never learn, so that
/// they are no input. Inputs: x, and b when there is one.
package struct MappedLinear: Operation {
    package static let name = "mapped_linear"
    package static var examples: [OperationExample] {
        let few = [2, 3].map { Float($0) }
        return [
            OperationExample(MappedLinear(.example(rows: 4, columns: 5)), [.example([2, 3, 5]), .example([4])]),
            OperationExample(MappedLinear(.example(rows: 3, columns: 2)), [.example([12, 2])]),
            OperationExample(MappedLinear(.example(rows: 3, columns: 2)), [Tensor(few, shape: [1, 2])]),
        ]
    }
    private let w: MappedMatrix
    private var shape: [Int] = []

    /// - Parameter w: [O, I].
    package init(_ w: MappedMatrix) { self.w = w }

    /// x [.., I] (, b [O]) → [.., O].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        precondition(x.width == w.columns, "linear: x \(x.shape) does not fit w [\(w.rows), \(w.columns)]")
        shape = x.shape
        let y = Tensor(uninitialized: x.shape.dropLast() + [w.rows])
        project(x.pointer, by: w, into: y.pointer, m: x.rows, bias: inputs.count > 1 ? inputs[1].pointer : nil)
        return y
    }

    /// ∂/∂x [.., I] (, ∂/∂b [O]), from ∂/∂y [.., O].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        var result: [Tensor?] = [nil, nil]
        let rows = dOutput.rows
        if needs[0] {
            let dx = Tensor(uninitialized: shape)
            unproject(dOutput.pointer, by: w, into: dx.pointer, m: rows)
            result[0] = dx
        }
        if needs.count > 1, needs[1] {
            let db = Tensor(zeros: [w.rows])
            parallel(w.rows, grain: 64) {
                atelier_reduce_rows(
                    db.pointer, dOutput.pointer, nil, rows, w.rows, max(rows, 1), 1, $0.lowerBound, $0.upperBound)
            }
            result[1] = db
        }
        return result
    }

    /// Of x and w; as many for the gradient of x.
    package var products: Products {
        let each = shape.dropLast().reduce(1, *) * w.rows * w.columns
        return Products(forward: each, backward: [each, 0])
    }
}

extension MappedMatrix {
    /// Reproducible weights for examples.
    fileprivate static func example(rows: Int, columns: Int) -> MappedMatrix {
        let words = Tensor.example([rows, columns], seed: 2).values.map { UInt16($0.bitPattern >> 16) }
        let memory = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: words.count)
        _ = memory.initialize(from: words)
        let bytes = UnsafeRawBufferPointer(memory)
        return MappedMatrix(bfloat16: bytes, rows: rows, columns: columns, owner: ExampleMemory(memory))!
    }

    /// Frees an example's words with the last matrix that reads them.
    private final class ExampleMemory {
        private let memory: UnsafeMutableBufferPointer<UInt16>
        init(_ memory: UnsafeMutableBufferPointer<UInt16>) { self.memory = memory }
        deinit { memory.deallocate() }
    }
}
