import Checkpoints
import Layers
import Tensors

/// A change of one weight as a file of an adapter holds it: strength · scale · up · down, of any rank.
package struct LowRankChange {
    /// [r, in], or [r, in, k, k] of a convolution; [r, rows] of an embedding table.
    package var down: Tensor
    /// [out, r], or [out, r, 1, 1]; [width, r] of a table.
    package var up: Tensor
    /// α/r, or α/√r.
    package var scale: Float
    /// Whether it changes a table, row by row.
    package var isOfTable = false
    /// DoRA's length of every row (Liu et al., arXiv 2402.09353), [out]; of a table of every column, [width].
    package var magnitude: Tensor?

    var rank: Int { down.shape[0] }

    /// scale · up · down, flattened to rows [out, in · k · k]; of a table [rows, width].
    package var matrix: Tensor {
        let inputs = down.count / rank
        let outputs = up.count / rank
        let product = Tensor(uninitialized: isOfTable ? [inputs, outputs] : [outputs, inputs])
        let (a, b) = (Matrix(up.pointer, stride: rank), Matrix(down.pointer, stride: inputs))
        if isOfTable {
            // (up · down)ᵀ = downᵀ · upᵀ.
            multiply(
                Matrix(down.pointer, stride: inputs, transposed: true),
                Matrix(up.pointer, stride: rank, transposed: true), into: Matrix(product.pointer, stride: outputs),
                m: inputs, n: outputs, k: rank, alpha: scale)
        } else {
            multiply(a, b, into: Matrix(product.pointer, stride: inputs), m: outputs, n: inputs, k: rank, alpha: scale)
        }
        return product
    }

    /// Whether it fits a weight of a shape.
    func fits(_ shape: [Int]) -> Bool {
        guard down.shape.count > 1, up.shape.count > 1, rank > 0, up.shape[1] == rank, shape.count > 1 else {
            return false
        }
        let (inputs, outputs) = (down.count / rank, up.count / rank)
        if let magnitude, magnitude.count != outputs { return false }
        let rest = shape.dropFirst().reduce(1, *)
        return isOfTable ? shape[0] == inputs && rest == outputs : shape[0] == outputs && rest == inputs
    }

    /// Adds `share` of the change to a weight; DoRA's brings its rows to their learned lengths, and has no shares.
    func merge(into weight: Tensor, share: Float) {
        weight.accumulate(matrix.reshaped(weight.shape), scale: share)
        guard let magnitude else { return }
        let lengths = magnitude.count
        let others = weight.count / lengths
        // A row's numbers follow each other; of a table the lengths are its columns' (PEFT's DoraEmbeddingLayer).
        let (next, apart) = isOfTable ? (lengths, 1) : (1, others)
        for length in 0..<lengths {
            let values = weight.pointer + length * apart
            let square = (0..<others).reduce(0.0) { $0 + Double(values[$1 * next]) * Double(values[$1 * next]) }
            let factor = magnitude.pointer[length] / Float(max(square.squareRoot(), 1e-30))
            for i in 0..<others { values[i * next] *= factor }
        }
    }
}

extension LowRankChange {
    /// Reads what a file holds.
    /// - Throws: `CheckpointError` where it holds no real numbers.
    init(_ stored: NamedChanges.Change) throws(CheckpointError) {
        self.init(
            down: try stored.down.tensor(), up: try stored.up.tensor(), scale: stored.scale,
            isOfTable: stored.isOfTable, magnitude: try stored.magnitude?.tensor())
    }
}
