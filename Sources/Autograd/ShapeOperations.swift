import CKernels
import Tensors

/// Columns `range` of the last dimension.
package struct Columns: Operation {
    package static let name = "columns"
    package static var examples: [OperationExample] { [OperationExample(Columns(1..<3), [.example([2, 2, 4])])] }
    let range: Range<Int>
    private var shape: [Int] = []
    /// The columns to keep.
    package init(_ range: Range<Int>) { self.range = range }

    /// x [.., C] → [.., range].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape.dropLast() + [range.count])
        shape = x.shape
        for row in 0..<x.rows {
            (y.pointer + row * range.count).update(
                from: x.pointer + row * x.width + range.lowerBound, count: range.count)
        }
        return y
    }

    /// ∂/∂x [.., C], zero outside the range, from ∂/∂y [.., range].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(zeros: shape)
        for row in 0..<dx.rows {
            (dx.pointer + row * dx.width + range.lowerBound).update(
                from: dOutput.pointer + row * range.count, count: range.count)
        }
        return [dx]
    }
}

/// Rows of a table [V, C] by index: an embedding. Output [indices, C].
package struct Gather: Operation {
    package static let name = "gather"
    package static var examples: [OperationExample] { [OperationExample(Gather([2, 0, 2]), [.example([4, 3])])] }
    let indices: [Int32]
    private var shape: [Int] = []
    /// indices [R], each below V.
    package init(_ indices: [Int32]) { self.indices = indices }

    /// table [V, C] → [R, C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let table = inputs[0]
        let width = table.width
        let y = Tensor(uninitialized: [indices.count, width])
        shape = table.shape
        for (row, index) in indices.enumerated() {
            precondition(index >= 0 && Int(index) < table.rows, "gather: row \(index) of \(table.rows)")
            (y.pointer + row * width).update(from: table.pointer + Int(index) * width, count: width)
        }
        return y
    }

    /// ∂/∂table [V, C], from ∂/∂y [R, C]; rows taken twice add up.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dtable = Tensor(zeros: shape)
        let width = dtable.width
        for (row, index) in indices.enumerated() {
            atelier_accumulate(dtable.pointer + Int(index) * width, dOutput.pointer + row * width, 1, width)
        }
        return [dtable]
    }
}

/// [B, T1, C], [B, T2, C], … joined along the tokens.
package struct Concatenate: Operation {
    package static let name = "concatenate"
    package static var examples: [OperationExample] {
        [OperationExample(Concatenate(), [.example([2, 1, 3]), .example([2, 2, 3], seed: 2)])]
    }
    private var tokens: [Int] = []
    package init() {}

    /// [B, T1, C], [B, T2, C], … → [B, T1 + T2 + …, C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let batch = inputs[0].shape[0]
        let width = inputs[0].width
        tokens = inputs.map { $0.shape[1] }
        let total = tokens.reduce(0, +)
        let y = Tensor(uninitialized: [batch, total, width])
        var start = 0
        for x in inputs {
            let count = x.shape[1] * width
            for b in 0..<batch {
                (y.pointer + (b * total + start) * width).update(from: x.pointer + b * count, count: count)
            }
            start += x.shape[1]
        }
        return y
    }

    /// One gradient [B, Ti, C] an input, from ∂/∂y [B, ΣTi, C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        var start = 0
        return zip(tokens, needs).map { count, needed in
            defer { start += count }
            return needed ? SliceTokens.copy(dOutput, start..<start + count) : nil
        }
    }
}

/// Tokens `range` of [B, T, C].
package struct SliceTokens: Operation {
    package static let name = "sliceTokens"
    package static var examples: [OperationExample] { [OperationExample(SliceTokens(1..<3), [.example([2, 4, 3])])] }
    let range: Range<Int>
    private var shape: [Int] = []
    /// The tokens to keep.
    package init(_ range: Range<Int>) { self.range = range }

    /// x [B, T, C] → [B, range, C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        shape = inputs[0].shape
        return SliceTokens.copy(inputs[0], range)
    }

    /// ∂/∂x [B, T, C], zero outside the range, from ∂/∂y [B, range, C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(zeros: shape)
        let width = dx.width
        let count = range.count * width
        for b in 0..<shape[0] {
            (dx.pointer + (b * shape[1] + range.lowerBound) * width).update(
                from: dOutput.pointer + b * count, count: count)
        }
        return [dx]
    }

    static func copy(_ x: Tensor, _ range: Range<Int>) -> Tensor {
        let width = x.width
        let count = range.count * width
        let y = Tensor(uninitialized: [x.shape[0], range.count, width])
        for b in 0..<x.shape[0] {
            (y.pointer + b * count).update(from: x.pointer + (b * x.shape[1] + range.lowerBound) * width, count: count)
        }
        return y
    }
}

/// The same elements under another shape.
package struct Reshape: Operation {
    package static let name = "reshape"
    package static var examples: [OperationExample] { [OperationExample(Reshape([3, 2]), [.example([2, 3])])] }
    let shape: [Int]
    private var before: [Int] = []
    /// A shape of as many elements.
    package init(_ shape: [Int]) { self.shape = shape }

    /// x of any shape → `shape`, sharing memory.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        before = inputs[0].shape
        return inputs[0].reshaped(shape)
    }

    /// ∂/∂x of the shape of x, from ∂/∂y of `shape`, sharing memory.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [dOutput.reshaped(before)] }
}

/// [B, M, N] → [B, N, M]: feature maps [B, C, P] to tokens [B, P, C] and back.
package struct SwapPlanes: Operation {
    package static let name = "swapPlanes"
    package static var examples: [OperationExample] { [OperationExample(SwapPlanes(), [.example([2, 3, 4])])] }
    package init() {}

    /// x [B, M, N] → [B, N, M].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor { SwapPlanes.swapped(inputs[0]) }
    /// ∂/∂x [B, M, N], from ∂/∂y [B, N, M].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] { [SwapPlanes.swapped(dOutput)] }

    /// The plain function, [B, M, N] → [B, N, M], for code that needs no gradient.
    package static func swapped(_ x: Tensor) -> Tensor {
        precondition(x.shape.count == 3, "swapPlanes: \(x.shape) has not three dimensions")
        let (batch, m, n) = (x.shape[0], x.shape[1], x.shape[2])
        let y = Tensor(uninitialized: [batch, n, m])
        parallel(batch, grain: 1) { range in
            for b in range {
                atelier_transpose(y.pointer + b * m * n, x.pointer + b * m * n, m, n)
            }
        }
        return y
    }
}

/// Rows of x [R, C] replaced by those of a second input [indices, C]: a learned vector in place of a token's state.
package struct ReplaceRows: Operation {
    package static let name = "replaceRows"
    package static var examples: [OperationExample] {
        [OperationExample(ReplaceRows([3, 1]), [.example([4, 3]), .example([2, 3], seed: 2)])]
    }
    let indices: [Int]
    /// The rows of x to replace, each once.
    package init(_ indices: [Int]) { self.indices = indices }

    /// x [R, C], v [indices, C] → [R, C].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let y = inputs[0].copy()
        let width = y.width
        precondition(
            inputs[1].shape == [indices.count, width],
            "\(inputs[1].shape) in place of \(indices.count) rows of \(width)")
        for (row, index) in indices.enumerated() {
            (y.pointer + index * width).update(from: inputs[1].pointer + row * width, count: width)
        }
        return y
    }

    /// ∂/∂x [R, C], zero in the replaced rows, and ∂/∂v [indices, C], from ∂/∂y [R, C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = dOutput.copy()
        let width = dx.width
        let dv = Tensor(uninitialized: [indices.count, width])
        for (row, index) in indices.enumerated() {
            (dv.pointer + row * width).update(from: dOutput.pointer + index * width, count: width)
            (dx.pointer + index * width).update(repeating: 0, count: width)
        }
        return [dx, dv]
    }
}

/// Differences of neighbouring pixels of [.., H, W]: all horizontal ones [.., H·(W−1)], then all vertical ones [..,
/// (H−1)·W], flat. An error on these is an error on edges.
package struct Differences: Operation {
    package static let name = "differences"
    package static var examples: [OperationExample] { [OperationExample(Differences(), [.example([2, 2, 3, 4])])] }
    private var shape: [Int] = []
    package init() {}

    /// Calls `body` with (index of the difference, index of the pixel, index of its neighbour) for every difference of
    /// a plane.
    private static func forEach(height: Int, width: Int, _ body: (Int, Int, Int) -> Void) {
        for i in 0..<height { for j in 0..<width - 1 { body(i * (width - 1) + j, i * width + j, i * width + j + 1) } }
        let first = height * (width - 1)
        for i in 0..<height - 1 {
            for j in 0..<width { body(first + i * width + j, i * width + j, (i + 1) * width + j) }
        }
    }

    /// x [.., H, W] → [planes, H·(W−1) + (H−1)·W].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        shape = inputs[0].shape
        let height = shape[shape.count - 2]
        let width = shape[shape.count - 1]
        let planes = shape.dropLast(2).reduce(1, *)
        let count = height * (width - 1) + (height - 1) * width
        let x = inputs[0]
        let y = Tensor(uninitialized: [planes, count])
        parallel(planes, grain: 4) { range in
            for plane in range {
                let source = x.pointer + plane * height * width
                let target = y.pointer + plane * count
                Differences.forEach(height: height, width: width) { target[$0] = source[$2] - source[$1] }
            }
        }
        return y
    }

    /// ∂/∂x [.., H, W], from ∂/∂y [planes, H·(W−1) + (H−1)·W].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let height = shape[shape.count - 2]
        let width = shape[shape.count - 1]
        let planes = shape.dropLast(2).reduce(1, *)
        let dx = Tensor(zeros: shape)
        let count = dOutput.width
        parallel(planes, grain: 4) { range in
            for plane in range {
                let source = dOutput.pointer + plane * count
                let target = dx.pointer + plane * height * width
                Differences.forEach(height: height, width: width) {
                    target[$2] += source[$0]
                    target[$1] -= source[$0]
                }
            }
        }
        return [dx]
    }
}
