import CKernels
import Tensors

/// x [B, C, …] with v [B, C] added at every position: what a U-Net's block adds for the time step.
package struct AddToChannels: Operation {
    package static let name = "addToChannels"
    package static var examples: [OperationExample] {
        [OperationExample(AddToChannels(), [.example([2, 3, 2, 2]), .example([2, 3], seed: 2)])]
    }
    package init() {}

    /// x [B, C, …], v [B, C] → the shape of x.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let (x, v) = (inputs[0], inputs[1])
        precondition(v.shape == Array(x.shape.prefix(2)), "addToChannels: \(v.shape) does not fit \(x.shape)")
        let planes = v.count
        let size = x.count / max(planes, 1)
        let y = Tensor(uninitialized: x.shape)
        parallel(planes, grain: 4) { range in
            for plane in range {
                let (source, target, added) = (x.pointer + plane * size, y.pointer + plane * size, v.pointer[plane])
                for i in 0..<size { target[i] = source[i] + added }
            }
        }
        return y
    }

    /// ∂/∂x like x, ∂/∂v [B, C] the sum over positions, from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        guard needs[1] else { return [dOutput, nil] }
        let dv = Tensor(uninitialized: Array(dOutput.shape.prefix(2)))
        let size = dOutput.count / max(dv.count, 1)
        parallel(dv.count, grain: 4) { range in
            for plane in range { dv.pointer[plane] = Float(atelier_sum(dOutput.pointer + plane * size, size)) }
        }
        return [dOutput, dv]
    }
}

/// [.., C1], [.., C2], … of as many rows, side by side.
package struct JoinColumns: Operation {
    package static let name = "joinColumns"
    package static var examples: [OperationExample] {
        [OperationExample(JoinColumns(), [.example([2, 2, 3]), .example([2, 2, 1], seed: 2)])]
    }
    private var shapes: [[Int]] = []
    package init() {}

    /// [.., C1], [.., C2], … → [.., C1 + C2 + …].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let rows = inputs[0].rows
        precondition(inputs.allSatisfy { $0.rows == rows }, "joinColumns: \(inputs.map(\.shape)) differ in rows")
        shapes = inputs.map(\.shape)
        let width = inputs.reduce(0) { $0 + $1.width }
        let y = Tensor(uninitialized: inputs[0].shape.dropLast() + [width])
        var start = 0
        for x in inputs {
            let first = start
            parallel(rows, grain: 64) { range in
                for row in range {
                    (y.pointer + row * width + first).update(from: x.pointer + row * x.width, count: x.width)
                }
            }
            start += x.width
        }
        return y
    }

    /// One gradient [.., Ci] an input, from ∂/∂y [.., ΣCi].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        var start = 0
        return zip(shapes, needs).map { shape, needed in
            let (first, count) = (start, shape.last ?? 1)
            start += count
            guard needed else { return nil }
            let dx = Tensor(uninitialized: shape)
            parallel(dx.rows, grain: 64) { range in
                for row in range {
                    (dx.pointer + row * count).update(
                        from: dOutput.pointer + row * dOutput.width + first, count: count)
                }
            }
            return dx
        }
    }
}

/// The upper left height × width of every plane of [B, C, H, W].
package struct CropMap: Operation {
    package static let name = "cropMap"
    package static var examples: [OperationExample] {
        [OperationExample(CropMap(height: 2, width: 3), [.example([2, 2, 3, 4])])]
    }
    let height, width: Int
    private var shape: [Int] = []
    /// The size to keep, in pixels.
    package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    /// x [B, C, H, W] → [B, C, height, width].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        shape = x.shape
        precondition(height <= shape[2] && width <= shape[3], "cropMap: \(height)×\(width) of \(shape)")
        let y = Tensor(uninitialized: [shape[0], shape[1], height, width])
        forEachRow { kept, whole in (y.pointer + kept).update(from: x.pointer + whole, count: width) }
        return y
    }

    /// ∂/∂x [B, C, H, W], zero outside, from ∂/∂y [B, C, height, width].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let dx = Tensor(zeros: shape)
        forEachRow { kept, whole in (dx.pointer + whole).update(from: dOutput.pointer + kept, count: width) }
        return [dx]
    }

    /// Calls `body` with where each kept row starts in the cropped and in the whole map.
    private func forEachRow(_ body: (_ kept: Int, _ whole: Int) -> Void) {
        parallel(shape[0] * shape[1], grain: 4) { range in
            for plane in range {
                for row in 0..<height {
                    body((plane * height + row) * width, (plane * shape[2] + row) * shape[3])
                }
            }
        }
    }
}
