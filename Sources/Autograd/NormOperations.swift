import CKernels
import Tensors

/// (x − mean)/σ over the last dimension, then · (offset + scale[g]) + shift[g] with g = (row / rowsPerGroup) mod
/// groups.
///
/// offset 0 and one group is the affine layer norm; offset 1 and one group per sample is the adaptive one (adaLN);
/// rows that are heads of one token after the other have a group a head, or one for as many neighbouring heads.
/// Inputs: x, and scale and shift [groups, C] when there are any.
package struct LayerNorm: Operation {
    package static let name = "layerNorm"
    package static var examples: [OperationExample] {
        [
            OperationExample(LayerNorm(), [.example([3, 5])]),
            OperationExample(LayerNorm(), [.example([4, 5]), .example([5], seed: 2), .example([5], seed: 3)]),
            OperationExample(
                LayerNorm(offset: 1, rowsPerGroup: 2),
                [.example([2, 2, 5]), .example([2, 5], seed: 2), .example([2, 5], seed: 3)]),
            OperationExample(
                LayerNorm(rowsPerGroup: 2),
                [.example([8, 5]), .example([2, 5], seed: 2), .example([2, 5], seed: 3)]),
        ]
    }
    package static let isCheap = true
    let offset: Float
    let rowsPerGroup: Int?
    let epsilon: Float
    @Kept private var saved: [Tensor] = []
    private var statistics: Tensor?
    /// One group of all rows unless `rowsPerGroup` is given.
    package init(offset: Float = 0, rowsPerGroup: Int? = nil, epsilon: Float = 1e-6) {
        self.offset = offset
        self.rowsPerGroup = rowsPerGroup
        self.epsilon = epsilon
    }

    /// x [.., C] (, scale and shift [groups, C]) → [.., C]; keeps mean and 1/σ, [rows, 2].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        let statistics = Tensor(uninitialized: [x.rows, 2])
        let scale = inputs.count > 1 ? inputs[1] : nil
        let shift = inputs.count > 2 ? inputs[2] : nil
        parallel(x.rows, grain: 8) {
            atelier_layer_norm(
                y.pointer, statistics.pointer, x.pointer, scale?.pointer, shift?.pointer, offset, $0.lowerBound,
                $0.upperBound, x.width, rowsPerGroup ?? max(x.rows, 1), scale?.rows ?? 1, epsilon)
        }
        saved = inputs
        self.statistics = statistics
        return y
    }

    /// ∂/∂x [.., C] (, ∂/∂scale and ∂/∂shift [groups, C]), from ∂/∂y [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let saved = saved
        let x = saved[0]
        let scale = saved.count > 1 ? saved[1] : nil
        let statistics = statistics!
        let (rowsPerGroup, groups) = (rowsPerGroup ?? max(x.rows, 1), scale?.rows ?? 1)
        var result: [Tensor?] = [nil, nil, nil]
        if needs[0] {
            let dx = Tensor(uninitialized: x.shape)
            parallel(x.rows, grain: 8) {
                atelier_layer_norm_backward(
                    dx.pointer, dOutput.pointer, x.pointer, statistics.pointer, scale?.pointer, offset, $0.lowerBound,
                    $0.upperBound, x.width, rowsPerGroup, groups)
            }
            result[0] = dx
        }
        if needs.count > 1, needs[1] || needs[2] {
            let dscale = Tensor(zeros: scale!.shape)
            let dshift = Tensor(zeros: scale!.shape)
            parallel(x.width, grain: 16) {
                atelier_layer_norm_backward_affine(
                    dscale.pointer, dshift.pointer, dOutput.pointer, x.pointer, statistics.pointer, x.rows, x.width,
                    rowsPerGroup, groups, $0.lowerBound, $0.upperBound)
            }
            result[1] = dscale
            result[2] = dshift
        }
        return result
    }
}

/// w · x / √(mean(x²) + ε) over the last dimension. Inputs: x, w [C].
package struct RMSNorm: Operation {
    package static let name = "rmsNorm"
    package static var examples: [OperationExample] {
        [OperationExample(RMSNorm(), [.example([3, 5]), .example([5], seed: 2)])]
    }
    package static let isCheap = true
    let epsilon: Float
    @Kept private var saved: [Tensor] = []
    private var statistics: Tensor?
    /// `epsilon` is added to the mean square.
    package init(epsilon: Float = 1e-6) { self.epsilon = epsilon }

    /// x [.., C], w [C] → [.., C]; keeps 1/rms, [rows].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let w = inputs[1]
        let y = Tensor(uninitialized: x.shape)
        let statistics = Tensor(uninitialized: [x.rows])
        parallel(x.rows, grain: 8) {
            atelier_rms_norm(
                y.pointer, statistics.pointer, x.pointer, w.pointer, $0.lowerBound, $0.upperBound, x.width, epsilon)
        }
        saved = inputs
        self.statistics = statistics
        return y
    }

    /// ∂/∂x [.., C], ∂/∂w [C], from ∂/∂y [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let saved = saved
        let (x, w) = (saved[0], saved[1])
        let statistics = statistics!
        var result: [Tensor?] = [nil, nil]
        if needs[0] {
            let dx = Tensor(uninitialized: x.shape)
            parallel(x.rows, grain: 8) {
                atelier_rms_norm_backward(
                    dx.pointer, dOutput.pointer, x.pointer, statistics.pointer, w.pointer, $0.lowerBound, $0.upperBound,
                    x.width)
            }
            result[0] = dx
        }
        if needs[1] {
            let dw = Tensor(zeros: w.shape)
            parallel(x.width, grain: 16) {
                atelier_rms_norm_backward_weight(
                    dw.pointer, dOutput.pointer, x.pointer, statistics.pointer, x.rows, x.width, $0.lowerBound,
                    $0.upperBound)
            }
            result[1] = dw
        }
        return result
    }
}

/// Group norm over [B, C, …planes] (Wu and He 2018), then optionally swish, fused so that the normalized map is never
/// kept. Inputs: x, w [C], b [C].
package struct GroupNorm: Operation {
    package static let name = "groupNorm"
    package static var examples: [OperationExample] {
        [false, true].map {
            OperationExample(
                GroupNorm(groups: 2, swish: $0),
                [.example([2, 4, 2, 3]), .example([4], seed: 2), .example([4], seed: 3)])
        }
    }
    package static let isCheap = true
    let groups: Int
    let epsilon: Float
    let swish: Bool
    @Kept private var saved: [Tensor] = []
    private var statistics: Tensor?
    /// C must divide into `groups`.
    package init(groups: Int, epsilon: Float = 1e-6, swish: Bool = false) {
        self.groups = groups
        self.epsilon = epsilon
        self.swish = swish
    }

    /// x [B, C, …planes], w [C], b [C] → the shape of x; keeps mean and 1/σ, [B·groups, 2].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let channels = x.shape[1]
        let planes = x.shape[2...].reduce(1, *)
        let tasks = x.shape[0] * groups
        precondition(channels % groups == 0, "groupNorm: \(channels) channels do not divide into \(groups) groups")
        let y = Tensor(uninitialized: x.shape)
        let statistics = Tensor(uninitialized: [tasks, 2])
        parallel(tasks, grain: 1) {
            atelier_group_norm(
                y.pointer, statistics.pointer, x.pointer, inputs[1].pointer, inputs[2].pointer, $0.lowerBound,
                $0.upperBound, channels,
                planes, groups, epsilon, swish)
        }
        saved = inputs
        self.statistics = statistics
        return y
    }

    /// ∂/∂x like x, ∂/∂w [C], ∂/∂b [C], from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let saved = saved
        let x = saved[0]
        let channels = x.shape[1]
        let planes = x.shape[2...].reduce(1, *)
        let batch = x.shape[0]
        let dx = Tensor(uninitialized: x.shape)
        let dwRows = Tensor(uninitialized: [batch, channels])
        let dbRows = Tensor(uninitialized: [batch, channels])
        let statistics = statistics!
        parallel(batch * groups, grain: 1) {
            atelier_group_norm_backward(
                dx.pointer, dwRows.pointer, dbRows.pointer, dOutput.pointer, x.pointer, statistics.pointer,
                saved[1].pointer,
                saved[2].pointer, $0.lowerBound, $0.upperBound, channels, planes, groups, swish)
        }
        return [dx, needs[1] ? GroupNorm.summed(dwRows) : nil, needs[2] ? GroupNorm.summed(dbRows) : nil]
    }

    /// [B, C] → [C].
    private static func summed(_ rows: Tensor) -> Tensor {
        let total = Tensor(zeros: [rows.width])
        atelier_reduce_rows(
            total.pointer, rows.pointer, nil, rows.rows, rows.width, max(rows.rows, 1), 1, 0, rows.width)
        return total
    }
}

/// x / max(‖x‖, 1e-12) over the last dimension.
package struct NormalizeRows: Operation {
    package static let name = "normalizeRows"
    package static var examples: [OperationExample] { [OperationExample(NormalizeRows(), [.example([3, 6])])] }
    private var x: Tensor?
    private var norms: Tensor?
    package init() {}

    /// x [.., C] → [.., C]; keeps the norms, [rows].
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let y = Tensor(uninitialized: x.shape)
        let norms = Tensor(uninitialized: [x.rows])
        atelier_heads(
            y.pointer, norms.pointer, x.pointer, x.width, nil, nil, nil, 0, x.rows, 1, 1, x.width, true, false)
        self.x = x
        self.norms = norms
        return y
    }

    /// ∂/∂x [.., C], from ∂/∂y [.., C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let x = x!
        let dx = Tensor(uninitialized: x.shape)
        atelier_heads_backward(
            dx.pointer, x.width, nil, dOutput.pointer, x.pointer, norms!.pointer, nil, nil, nil, 0, x.rows, 1, 1,
            x.width, true, false)
        return [dx]
    }
}
