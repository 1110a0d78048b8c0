import CKernels
import Glibc
import Tensors

/// Scaled dot-product attention, softmax(q kᵀ · logitScale + bias) v, over heads packed in the last dimension.
///
/// Inputs by `layout`, then the bias [biasHeads, T, S] (1 or all heads) when there is one:
/// - `packed`: qkv [B, T, 3·C], or [B, T, C + 2·keyWidth];
/// - `queryAndPackedKeys`: q [B, T, C], kv [S, 2·C];
/// - `separate`: q [B, T, C], k [.., C], v [.., C].
///
/// With fewer key heads, k and v are as much narrower; not in `queryAndPackedKeys`, which has as many.
package struct Attention: Operation {
    /// How query, key and value arrive: see the type.
    package enum Layout { case packed, queryAndPackedKeys, separate }

    package static let name = "attention"
    package static var examples: [OperationExample] {
        let visible: [Int32] = [1, 3, 3]
        return [
            OperationExample(Attention(heads: 2, layout: .packed, logitScale: 0.7), [.example([2, 3, 12])]),
            OperationExample(
                Attention(heads: 2, layout: .packed, logitScale: 1, visible: visible), [.example([2, 3, 12])]),
            OperationExample(
                Attention(heads: 2, layout: .queryAndPackedKeys, logitScale: 0.5, keyRanges: [0..<3, 3..<5]),
                [.example([2, 3, 4]), .example([5, 8], seed: 2)]),
            OperationExample(
                Attention(heads: 2, layout: .separate, logitScale: 1, hasBias: true),
                [
                    .example([2, 3, 4]), .example([2, 5, 4], seed: 2), .example([2, 5, 4], seed: 3),
                    .example([2, 3, 5], seed: 4),
                ]),
            OperationExample(
                Attention(heads: 2, layout: .separate, logitScale: 1, hasBias: true, keyRanges: [0..<4, 5..<7]),
                [
                    .example([2, 3, 4]), .example([2, 5, 4], seed: 2), .example([2, 5, 4], seed: 3),
                    .example([1, 3, 5], seed: 4),
                ]),
            OperationExample(
                Attention(heads: 4, keyHeads: 2, layout: .separate, logitScale: 1, visible: visible),
                [.example([2, 3, 8]), .example([2, 3, 4], seed: 2), .example([2, 3, 4], seed: 3)]),
            OperationExample(
                Attention(heads: 4, keyHeads: 2, layout: .packed, logitScale: 1, visible: visible),
                [.example([2, 3, 16])]),
        ]
    }

    let heads: Int
    /// Heads of keys and values, each serving heads/keyHeads neighbouring query heads.
    let keyHeads: Int
    let layout: Layout
    let logitScale: Float
    let hasBias: Bool
    /// For query t, how many keys from the range's start it may see; all when nil.
    let visible: [Int32]?
    /// Rows of the keys that belong to each sample; equal shares when nil.
    let keyRanges: [Range<Int>]?
    @Kept private var inputs: [Tensor] = []
    /// What the rounding kernels keep.
    private var rounded: (output: Tensor, sums: Tensor)?

    /// `heads` of queries, `keyHeads` of keys and values (as many unless given); `visible` [T]; a range of key rows a
    /// sample.
    package init(
        heads: Int, keyHeads: Int? = nil, layout: Layout, logitScale: Float, hasBias: Bool = false,
        visible: [Int32]? = nil,
        keyRanges: [Range<Int>]? = nil
    ) {
        precondition(
            keyHeads == nil || layout != .queryAndPackedKeys && heads % keyHeads! == 0,
            "attention: \(keyHeads!) key heads for \(heads)")
        self.heads = heads
        self.keyHeads = keyHeads ?? heads
        self.layout = layout
        self.logitScale = logitScale
        self.hasBias = hasBias
        self.visible = visible
        self.keyRanges = keyRanges
    }

    /// Where query, key and value live, for inputs or for their gradients.
    struct Operands {
        let q, k, v: UnsafeMutablePointer<Float>
        let queryStride, keyStride, valueStride: Int

        init(_ tensors: [Tensor], layout: Layout, width: Int) {
            q = tensors[0].pointer
            queryStride = tensors[0].width
            switch layout {
            case .packed:
                k = q + width
                v = k + (queryStride - width) / 2
                (keyStride, valueStride) = (queryStride, queryStride)
            case .queryAndPackedKeys:
                k = tensors[1].pointer
                v = k + width
                (keyStride, valueStride) = (2 * width, 2 * width)
            case .separate:
                k = tensors[1].pointer
                v = tensors[2].pointer
                (keyStride, valueStride) = (tensors[1].width, tensors[2].width)
            }
        }

        /// Keys and values from a row and a column on.
        func keysAndValues(_ row: Int, column: Int) -> (keys: Matrix, values: Matrix) {
            (
                Matrix(k + row * keyStride + column, stride: keyStride),
                Matrix(v + row * valueStride + column, stride: valueStride)
            )
        }
    }

    /// Query heads that share a key head.
    var group: Int { heads / keyHeads }

    struct Sizes {
        let batch, queries, width, headWidth, mostKeys: Int
        let ranges: [Range<Int>]
    }

    private func sizes(_ inputs: [Tensor]) -> Sizes {
        let q = inputs[0]
        let batch = q.shape[0]
        let queries = q.shape[1]
        let width = layout == .packed ? q.width / (heads + 2 * keyHeads) * heads : q.width
        let keyRows = layout == .packed ? q.rows : inputs[1].rows
        let ranges = keyRanges ?? (0..<batch).map { $0 * (keyRows / batch)..<($0 + 1) * (keyRows / batch) }
        precondition(
            ranges.count == batch && ranges.allSatisfy { $0.upperBound <= keyRows }, "attention: key ranges \(ranges)")
        let most = hasBias ? inputs.last!.width : ranges.map(\.count).max() ?? 0
        return Sizes(
            batch: batch, queries: queries, width: width, headWidth: width / heads, mostKeys: most, ranges: ranges)
    }

    /// A run of queries handled by one product each, and how many keys it may see.
    private typealias Block = (rows: Range<Int>, keys: Int)

    /// The rows of a block's scores stay in the cache; short blocks where a mask makes later queries see more.
    private func blockRows(_ s: Sizes) -> Int { visible == nil ? max(32, (1 << 16) / max(s.mostKeys, 1)) : 32 }

    private func blocks(_ s: Sizes, keys: Int) -> [Block] {
        let step = blockRows(s)
        return stride(from: 0, to: s.queries, by: step).map { start in
            let rows = start..<min(start + step, s.queries)
            return (rows, min(keys, visible.map { Int($0[rows].max() ?? 0) } ?? keys))
        }
    }

    /// Room for the scores of one block, [rows, S].
    private func scratch(_ s: Sizes) -> Tensor {
        Tensor(uninitialized: [min(blockRows(s), s.queries), max(s.mostKeys, 1)])
    }

    /// The inputs of `layout` (above) → [B, T, C]. No more scores than a block's exist at a time (Rabe and Staats,
    /// arXiv 2112.05682; Dao et al., arXiv 2205.14135): the way back computes them again, from each row's log Σ exp
    /// [B, heads, T] where it rounds.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let s = sizes(inputs)
        let operands = Operands(inputs, layout: layout, width: s.width)
        let output = Tensor(uninitialized: [s.batch, s.queries, s.width])
        if canRound(s) {
            let sums = Tensor(uninitialized: [s.batch, heads, s.queries])
            attendRounded(operands, s, output: output, sums: sums)
            self.inputs = inputs
            rounded = (output, sums)
            return output
        }
        self.inputs = inputs
        parallel(heads, grain: 1) { range in
            let scratch = scratch(s)
            for head in range {
                for sample in 0..<s.batch {
                    let (k, v) = operands.keysAndValues(s.ranges[sample].lowerBound, column: head / group * s.headWidth)
                    attend(operands, k, v, s, sample: sample, head: head, scratch: scratch, output: output)
                }
            }
        }
        return output
    }

    /// The same of keys and values [rows, C] that are kept in bfloat16; records nothing. They are widened a head at a
    /// time.
    /// - Parameters:
    ///   - q: [B, T, C].
    ///   - bias: [biasHeads, T, S] where there is one.
    /// - Precondition: the layout is `separate`, and there are key ranges.
    package func callAsFunction(_ q: Tensor, keys: HalfRows, values: HalfRows, bias: Tensor? = nil) -> Tensor {
        var attention = self
        attention.inputs = [q] + (bias.map { [$0] } ?? [])
        return attention.attend(q, keys, values)
    }

    private func attend(_ q: Tensor, _ keys: HalfRows, _ values: HalfRows) -> Tensor {
        let ranges = keyRanges!
        let s = Sizes(
            batch: q.shape[0], queries: q.shape[1], width: q.width, headWidth: q.width / heads,
            mostKeys: hasBias ? $inputs.last!.tensor.width : ranges.map(\.count).max() ?? 0, ranges: ranges)
        let output = Tensor(uninitialized: [s.batch, s.queries, s.width])
        parallel(keyHeads, grain: 1) { range in
            let scratch = scratch(s)
            let wide = (0..<2).map { _ in Tensor(uninitialized: [s.mostKeys, s.headWidth]) }
            let operands = Operands([q] + wide, layout: .separate, width: s.width)
            let (k, v) = operands.keysAndValues(0, column: 0)
            for keyHead in range {
                let columns = keyHead * s.headWidth..<(keyHead + 1) * s.headWidth
                for sample in 0..<s.batch {
                    keys.widen(ranges[sample], columns: columns, into: wide[0].pointer)
                    values.widen(ranges[sample], columns: columns, into: wide[1].pointer)
                    for head in keyHead * group..<(keyHead + 1) * group {
                        attend(operands, k, v, s, sample: sample, head: head, scratch: scratch, output: output)
                    }
                }
            }
        }
        return output
    }

    private func attend(
        _ o: Operands, _ k: Matrix, _ v: Matrix, _ s: Sizes, sample: Int, head: Int, scratch: Tensor, output: Tensor
    ) {
        let scores = Matrix(scratch.pointer, stride: scratch.width)
        for block in blocks(s, keys: s.ranges[sample].count) {
            let count = block.rows.count
            weigh(o, k, s, sample: sample, head: head, block: block, into: scores)
            let out = Matrix(
                output.pointer + (sample * s.queries + block.rows.lowerBound) * s.width + head * s.headWidth,
                stride: s.width)
            multiplySerially(scores, v, into: out, m: count, n: s.headWidth, k: block.keys)
            if block.keys == 0 {
                for row in 0..<count { (out.pointer + row * s.width).update(repeating: 0, count: s.headWidth) }
            }
        }
    }

    /// The probabilities of a block's keys: softmax(logitScale · q·kᵀ + bias), [rows, keys].
    private func weigh(
        _ o: Operands, _ k: Matrix, _ s: Sizes, sample: Int, head: Int, block: Block, into scores: Matrix
    ) {
        let rows = block.rows
        let k = Matrix(k.pointer, stride: k.stride, transposed: true)
        let q = Matrix(
            o.q + (sample * s.queries + rows.lowerBound) * o.queryStride + head * s.headWidth, stride: o.queryStride)
        multiplySerially(q, k, into: scores, m: rows.count, n: block.keys, k: s.headWidth)
        let bias = hasBias ? $inputs.last!.tensor : nil
        let biasRows = bias.map {
            $0.pointer + (($0.shape[0] == 1 ? 0 : head) * s.queries + rows.lowerBound) * $0.width
        }
        withVisible(rows) { visible in
            atelier_softmax(
                scores.pointer, biasRows, visible, rows.count, block.keys, scores.stride, bias?.width ?? 0, logitScale)
        }
    }

    private func withVisible(_ rows: Range<Int>, _ body: (UnsafePointer<Int32>?) -> Void) {
        guard let visible else { return body(nil) }
        visible.withUnsafeBufferPointer { body($0.baseAddress! + rows.lowerBound) }
    }

    /// One gradient an input, each of its input's shape, from ∂/∂y [B, T, C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let inputs = inputs
        let s = sizes(inputs)
        let operands = Operands(inputs, layout: layout, width: s.width)
        let sources = hasBias ? Array(inputs.dropLast()) : inputs
        let gradients = sources.map { Tensor(zeros: $0.shape) }
        let into = Operands(gradients, layout: layout, width: s.width)
        if let rounded {
            attendRoundedBackward(operands, into, s, output: rounded.output, dOutput: dOutput, sums: rounded.sums)
            return gradients
        }
        let dbias = hasBias && needs[needs.count - 1] ? Tensor(zeros: inputs.last!.shape) : nil
        // What several heads share, keys or a bias, is summed by one thread, in order.
        parallel(heads, grain: dbias?.shape[0] == 1 ? heads : group) { range in
            let scratch = (p: scratch(s), dp: scratch(s))
            for head in range {
                for sample in 0..<s.batch {
                    attendBackward(
                        operands, into, s, sample: sample, head: head, dOutput: dOutput, scratch: scratch, dbias: dbias)
                }
            }
        }
        return gradients + (hasBias ? [dbias] : [])
    }

    /// Pairs of query and key that see each other, a product over the head's width for the score and one for the sum.
    /// Both are counted to their own gradients: of the first input where all three lie in it.
    package var products: Products {
        let s = sizes(inputs)
        let pairs = s.ranges.reduce(0) { sum, keys in
            sum + (visible.map { $0.reduce(0) { $0 + min(Int($1), keys.count) } } ?? s.queries * keys.count)
        }
        let each = pairs * s.width
        switch layout {
        case .packed: return Products(forward: 2 * each, backward: [4 * each])
        case .queryAndPackedKeys: return Products(forward: 2 * each, backward: [each, 3 * each])
        case .separate: return Products(forward: 2 * each, backward: [each, each, 2 * each, 0])
        }
    }

    private func attendBackward(
        _ o: Operands, _ d: Operands, _ s: Sizes, sample: Int, head: Int, dOutput: Tensor,
        scratch: (p: Tensor, dp: Tensor), dbias: Tensor?
    ) {
        let column = head * s.headWidth
        let keyColumn = head / group * s.headWidth
        let keys = s.ranges[sample]
        let stride = scratch.p.width
        let k = Matrix(o.k + keys.lowerBound * o.keyStride + keyColumn, stride: o.keyStride)
        let v = Matrix(o.v + keys.lowerBound * o.valueStride + keyColumn, stride: o.valueStride, transposed: true)
        let dk = Matrix(d.k + keys.lowerBound * d.keyStride + keyColumn, stride: d.keyStride)
        let dv = Matrix(d.v + keys.lowerBound * d.valueStride + keyColumn, stride: d.valueStride)
        let (p, dp) = (scratch.p.pointer, scratch.dp.pointer)
        for block in blocks(s, keys: keys.count) where block.keys > 0 {
            let rows = block.rows
            let first = sample * s.queries + rows.lowerBound
            let count = rows.count
            weigh(o, k, s, sample: sample, head: head, block: block, into: Matrix(p, stride: stride))
            let dy = Matrix(dOutput.pointer + first * s.width + column, stride: s.width)
            multiplySerially(dy, v, into: Matrix(dp, stride: stride), m: count, n: block.keys, k: s.headWidth)
            multiplySerially(
                Matrix(p, stride: stride, transposed: true), dy, into: dv, m: block.keys, n: s.headWidth, k: count,
                beta: 1)
            atelier_softmax_backward(dp, p, count, block.keys, stride, 1)
            if let dbias {
                let target =
                    dbias.pointer + ((dbias.shape[0] == 1 ? 0 : head) * s.queries + rows.lowerBound) * dbias.width
                for row in 0..<count {
                    atelier_accumulate(target + row * dbias.width, dp + row * stride, 1, block.keys)
                }
            }
            let q = Matrix(o.q + first * o.queryStride + column, stride: o.queryStride)
            let dq = Matrix(d.q + first * d.queryStride + column, stride: d.queryStride)
            let ds = Matrix(dp, stride: stride)
            let dsTransposed = Matrix(dp, stride: stride, transposed: true)
            multiplySerially(ds, k, into: dq, m: count, n: s.headWidth, k: block.keys, alpha: logitScale)
            multiplySerially(
                dsTransposed, q, into: dk, m: block.keys, n: s.headWidth, k: count, alpha: logitScale, beta: 1)
        }
    }
}
