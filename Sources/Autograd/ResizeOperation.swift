import CKernels
import Tensors

/// A linear map along one dimension: each output sample is a short weighted sum of inputs.
private struct Taps {
    /// Output i reads the taps `starts[i]..<starts[i + 1]`.
    private var starts: [Int32] = [0]
    private var indices: [Int32] = []
    private var weights: [Float] = []

    var count: Int { starts.count - 1 }

    init(_ sums: [[(index: Int, weight: Float)]]) {
        for sum in sums {
            indices += sum.map { Int32($0.index) }
            weights += sum.map(\.weight)
            starts.append(Int32(indices.count))
        }
    }

    /// Calls `body` with every output, one of its inputs, and that input's weight.
    func visit(_ body: (_ output: Int, _ input: Int, _ weight: Float) -> Void) {
        for output in 0..<count {
            for tap in Int(starts[output])..<Int(starts[output + 1]) { body(output, Int(indices[tap]), weights[tap]) }
        }
    }

    func withPointers(_ body: (atelier_taps) -> Void) {
        starts.withUnsafeBufferPointer { starts in
            indices.withUnsafeBufferPointer { indices in
                weights.withUnsafeBufferPointer { weights in
                    body(
                        atelier_taps(
                            starts: starts.baseAddress, indices: indices.baseAddress, weights: weights.baseAddress,
                            count: starts.count - 1))
                }
            }
        }
    }
}

/// [B, C, h, w] resized to another size: by area (adaptive average pooling), or bilinearly or bicubically (half-pixel
/// centres, edges repeated, no smoothing before shrinking; the cubic of a = −0.75), as PyTorch's `interpolate` without
/// corners aligned.
package struct Resize: Operation {
    /// How the pixels of the new size are weighed from the old.
    package enum Method { case area, bilinear, bicubic }

    package static let name = "resize"
    package static var examples: [OperationExample] {
        [
            OperationExample(Resize(height: 3, width: 2, method: .area), [.example([1, 2, 5, 4])]),
            OperationExample(Resize(height: 5, width: 6, method: .bilinear), [.example([1, 2, 3, 4])]),
            OperationExample(Resize(height: 5, width: 3, method: .bicubic), [.example([1, 2, 3, 4])]),
            OperationExample(Resize(height: 5, width: 3, method: .bicubic, excess: 0.1), [.example([1, 2, 3, 4])]),
            // Large enough for the separable kernel.
            OperationExample(Resize(height: 9, width: 10, method: .area), [.example([1, 1, 11, 12])]),
            OperationExample(Resize(height: 12, width: 10, method: .bilinear), [.example([1, 1, 9, 11])]),
        ]
    }
    let height, width: Int
    let method: Method
    /// Added to the new size where the rate of bicubic sampling is taken from it.
    let excess: Float
    private var before: [Int] = []
    /// The size to reach, in pixels. `excess` is for networks that resize by a rate of (size + excess) / old size, as
    /// DINO's reference does with 0.1.
    package init(height: Int, width: Int, method: Method, excess: Float = 0) {
        (self.height, self.width, self.method, self.excess) = (height, width, method, excess)
    }

    /// x [B, C, h, w] → [B, C, height, width].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        before = inputs[0].shape
        return Resize.resized(inputs[0], height: height, width: width, method: method, excess: excess)
    }

    /// ∂/∂x [B, C, h, w], from ∂/∂y [B, C, height, width].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let rows = Resize.transposed(Resize.sums(before[2], to: height, method, excess), count: before[2])
        let columns = Resize.transposed(Resize.sums(before[3], to: width, method, excess), count: before[3])
        return [Resize.apply(dOutput, rows: Taps(rows), columns: Taps(columns))]
    }

    /// The plain function, for code that needs no gradient.
    package static func resized(
        _ x: Tensor, height: Int, width: Int, method: Method, excess: Float = 0
    ) -> Tensor {
        if x.shape[2] == height && x.shape[3] == width { return x }
        return apply(
            x, rows: Taps(sums(x.shape[2], to: height, method, excess)),
            columns: Taps(sums(x.shape[3], to: width, method, excess)))
    }

    private typealias Sum = [(index: Int, weight: Float)]

    private static func sums(_ size: Int, to target: Int, _ method: Method, _ excess: Float) -> [Sum] {
        (0..<target).map { i in
            switch method {
            case .area:
                let start = i * size / target
                let end = ((i + 1) * size + target - 1) / target
                return (start..<end).map { ($0, 1 / Float(end - start)) }
            case .bilinear:
                let position = max((Float(i) + 0.5) * (Float(size) / Float(target)) - 0.5, 0)
                let low = min(Int(position), size - 1)
                let high = min(low + 1, size - 1)
                let t = position - Float(low)
                return [(low, 1 - t), (high, t)]
            case .bicubic:
                let position = (Float(i) + 0.5) * (Float(size) / (Float(target) + excess)) - 0.5
                let low = position.rounded(.down)
                return (-1...2).map { step in
                    (min(max(Int(low) + step, 0), size - 1), cubic(abs(position - low - Float(step))))
                }
            }
        }
    }

    /// Keys's cubic convolution (1981) with a = −0.75.
    private static func cubic(_ x: Float) -> Float {
        let a: Float = -0.75
        return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    }

    private static func transposed(_ sums: [Sum], count: Int) -> [Sum] {
        var result = [Sum](repeating: [], count: count)
        for (i, sum) in sums.enumerated() { for tap in sum { result[tap.index].append((i, tap.weight)) } }
        return result
    }

    private static func apply(_ x: Tensor, rows: Taps, columns: Taps) -> Tensor {
        let (h, w) = (x.shape[2], x.shape[3])
        let y = Tensor(uninitialized: [x.shape[0], x.shape[1], rows.count, columns.count])
        // A token map of a few positions is all loop overhead for the separable kernel; one product of all planes with
        // a small dense matrix is several times faster there. A large one would waste its time on zeros.
        if h * w * rows.count * columns.count <= 1 << 13 {
            applyDense(x, rows: rows, columns: columns, into: y)
        } else {
            applySeparably(x, rows: rows, columns: columns, into: y)
        }
        return y
    }

    private static func applyDense(_ x: Tensor, rows: Taps, columns: Taps, into y: Tensor) {
        let (h, w) = (x.shape[2], x.shape[3])
        let inputs = h * w
        let outputs = rows.count * columns.count
        let map = Tensor(zeros: [inputs, outputs])
        rows.visit { i, row, rowWeight in
            columns.visit { j, column, columnWeight in
                map.pointer[(row * w + column) * outputs + i * columns.count + j] += rowWeight * columnWeight
            }
        }
        // As many planes a product however many threads there are: OpenBLAS adds up small ones in another order.
        let together = 256
        parallel(x.shape[0] * x.shape[1], grain: together) { range in
            for first in stride(from: range.lowerBound, to: range.upperBound, by: together) {
                multiplySerially(
                    Matrix(x.pointer + first * inputs, stride: inputs), Matrix(map.pointer, stride: outputs),
                    into: Matrix(y.pointer + first * outputs, stride: outputs),
                    m: min(together, range.upperBound - first), n: outputs, k: inputs)
            }
        }
    }

    private static func applySeparably(_ x: Tensor, rows: Taps, columns: Taps, into y: Tensor) {
        let (h, w) = (x.shape[2], x.shape[3])
        rows.withPointers { down in
            columns.withPointers { across in
                parallel(x.shape[0] * x.shape[1], grain: 8) { range in
                    let half = Tensor(uninitialized: [h, across.count])
                    withUnsafePointer(to: down) { down in
                        withUnsafePointer(to: across) { across in
                            atelier_resize(
                                y.pointer, x.pointer, half.pointer, down, across, range.lowerBound, range.upperBound, h,
                                w)
                        }
                    }
                }
            }
        }
    }
}
