import CKernels
import Glibc
import Tensors

/// The angles of a rotary position embedding: cosine and sine [tokens, headWidth/2].
package struct RotaryTable {
    /// cos of every angle, [tokens, headWidth/2].
    package let cosine: Tensor
    /// sin of every angle, [tokens, headWidth/2].
    package let sine: Tensor
    /// Whether channel i pairs with i + headWidth/2 (LLaMA) instead of its neighbour (Infinity).
    package let pairsHalves: Bool

    /// cosine, sine: both [tokens, headWidth/2].
    package init(cosine: Tensor, sine: Tensor, pairsHalves: Bool) {
        precondition(cosine.shape == sine.shape && cosine.shape.count == 2)
        self.cosine = cosine
        self.sine = sine
        self.pairsHalves = pairsHalves
    }

    /// How many positions there are angles for.
    package var tokens: Int { cosine.shape[0] }

    /// The angles of some tokens only.
    package func slice(_ range: Range<Int>) -> RotaryTable {
        RotaryTable(cosine: cosine.slice(range), sine: sine.slice(range), pairsHalves: pairsHalves)
    }

    /// The angles of tokens that stand at `positions`, one after the other.
    package func gathered(_ positions: [Int]) -> RotaryTable {
        func rows(_ table: Tensor) -> Tensor { .joined(positions.map { table.slice($0..<$0 + 1) }) }
        return RotaryTable(cosine: rows(cosine), sine: rows(sine), pairsHalves: pairsHalves)
    }
}

/// Prepares attention heads: the query (and key) sections of a packed projection are L2-normalized per head, multiplied
/// by a gain per head (query only), and rotated; the value section passes through.
///
/// Inputs: x [.., sections · heads · headWidth] with 3 sections (query, key, value) or 1, and gain [heads] when there
/// is one.
package struct Heads: Operation {
    package static let name = "heads"
    package static var examples: [OperationExample] {
        let angles = Tensor.example([3, 2], seed: 9)
        let cosine = Tensor(angles.values.map { cos($0) }, shape: [3, 2])
        let sine = Tensor(angles.values.map { sin($0) }, shape: [3, 2])
        return [false, true].flatMap { halves in
            let rotary = RotaryTable(cosine: cosine, sine: sine, pairsHalves: halves)
            return [
                OperationExample(
                    Heads(heads: 2, sections: 3, normalize: true, rotary: rotary),
                    [.example([2, 3, 24]), .example([2], seed: 2)]),
                OperationExample(Heads(heads: 2, sections: 1, normalize: false, rotary: rotary), [.example([3, 8])]),
            ]
        } + [
            OperationExample(
                Heads(heads: 2, sections: 1, normalize: false, rotary: nil),
                [.example([3, 8]), .example([2], seed: 2)])
        ]
    }
    let heads: Int
    let sections: Int
    let normalize: Bool
    let rotary: RotaryTable?
    private var x: Tensor?
    private var gain: Tensor?
    private var norms: [Tensor] = []
    /// `sections` 3 for a packed query, key and value, 1 for a query alone; `rotary` has as many tokens as x [B, T,
    /// ..].
    package init(heads: Int, sections: Int, normalize: Bool, rotary: RotaryTable?) {
        precondition(sections == 1 || sections == 3)
        self.heads = heads
        self.sections = sections
        self.normalize = normalize
        self.rotary = rotary
    }

    private var prepared: Int { sections == 3 ? 2 : 1 }

    /// x [.., sections·heads·headWidth], gain [heads] → the shape of x.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let rows = x.rows
        let stride = x.width
        let section = stride / sections
        let gain = inputs.count > 1 ? inputs[1] : nil
        let y = Tensor(uninitialized: x.shape)
        norms = (0..<prepared).map { _ in Tensor(uninitialized: [rows, heads]) }
        parallel(rows, grain: 8) { [norms] range in
            for part in 0..<prepared {
                atelier_heads(
                    y.pointer + part * section, norms[part].pointer, x.pointer + part * section, stride,
                    part == 0 ? gain?.pointer : nil,
                    rotary?.cosine.pointer, rotary?.sine.pointer, range.lowerBound, range.upperBound,
                    rotary?.tokens ?? 1, heads,
                    section / heads, normalize, rotary?.pairsHalves ?? false)
            }
            if sections == 3 { Heads.copyValues(x, y, section: section, rows: range) }
        }
        self.x = x
        self.gain = gain
        return y
    }

    /// ∂/∂x like x and ∂/∂gain [heads], from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let x = x!
        let rows = x.rows
        let stride = x.width
        let section = stride / sections
        let dx = Tensor(uninitialized: x.shape)
        let dgainRows = needs.count > 1 && needs[1] ? Tensor(uninitialized: [rows, heads]) : nil
        parallel(rows, grain: 8) { range in
            for part in 0..<prepared {
                atelier_heads_backward(
                    dx.pointer + part * section, stride, part == 0 ? dgainRows?.pointer : nil,
                    dOutput.pointer + part * section,
                    x.pointer + part * section, norms[part].pointer, part == 0 ? gain?.pointer : nil,
                    rotary?.cosine.pointer,
                    rotary?.sine.pointer, range.lowerBound, range.upperBound, rotary?.tokens ?? 1, heads,
                    section / heads, normalize,
                    rotary?.pairsHalves ?? false)
            }
            if sections == 3 { Heads.copyValues(dOutput, dx, section: section, rows: range) }
        }
        guard let dgainRows else { return [dx, nil] }
        let dgain = Tensor(zeros: [heads])
        atelier_reduce_rows(dgain.pointer, dgainRows.pointer, nil, rows, heads, max(rows, 1), 1, 0, heads)
        return [dx, dgain]
    }

    private static func copyValues(_ source: Tensor, _ target: Tensor, section: Int, rows: Range<Int>) {
        for row in rows {
            let start = row * source.width + 2 * section
            (target.pointer + start).update(from: source.pointer + start, count: section)
        }
    }
}

/// Scaled dot-product attention, softmax(q kᵀ · logitScale + bias) v, over heads packed in the last dimension.
///
/// Inputs by `layout`, then the bias [biasHeads, T, S] (1 or all heads) when there is one:
/// - `packed`: qkv [B, T, 3·C];
/// - `queryAndPackedKeys`: q [B, T, C], kv [S, 2·C];
/// - `separate`: q [B, T, C], k [.., C], v [.., C]; with fewer key heads, k and v are as much narrower.
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
    private var inputs: [Tensor] = []
    private var probabilities: Tensor?
    /// What the rounding kernels keep instead of the probabilities.
    private var rounded: (output: Tensor, sums: Tensor)?

    /// `heads` of queries, `keyHeads` of keys and values (as many unless given); `visible` [T]; a range of key rows a
    /// sample.
    package init(
        heads: Int, keyHeads: Int? = nil, layout: Layout, logitScale: Float, hasBias: Bool = false,
        visible: [Int32]? = nil,
        keyRanges: [Range<Int>]? = nil
    ) {
        precondition(
            keyHeads == nil || layout == .separate && heads % keyHeads! == 0,
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
                v = q + 2 * width
                (keyStride, valueStride) = (3 * width, 3 * width)
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
        let width = layout == .packed ? q.width / 3 : q.width
        let keyRows = layout == .packed ? q.rows : inputs[1].rows
        let ranges = keyRanges ?? (0..<batch).map { $0 * (keyRows / batch)..<($0 + 1) * (keyRows / batch) }
        precondition(
            ranges.count == batch && ranges.allSatisfy { $0.upperBound <= keyRows }, "attention: key ranges \(ranges)")
        let most = hasBias ? inputs.last!.width : ranges.map(\.count).max() ?? 0
        return Sizes(
            batch: batch, queries: queries, width: width, headWidth: width / heads, mostKeys: most, ranges: ranges)
    }

    /// Runs of queries handled by one product each: short ones where a mask makes later queries see more.
    private func blocks(queries: Int, keys: Int) -> [(rows: Range<Int>, keys: Int)] {
        guard let visible else { return [(0..<queries, keys)] }
        return stride(from: 0, to: queries, by: 32).map { start in
            let rows = start..<min(start + 32, queries)
            return (rows, min(keys, Int(visible[rows].max() ?? 0)))
        }
    }

    /// The inputs of `layout` (above) → [B, T, C]; keeps the probabilities [B, heads, T, S], or each row's
    /// log Σ exp [B, heads, T] where it rounds.
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
        let p = Tensor(uninitialized: [s.batch, heads, s.queries, max(s.mostKeys, 1)])
        let bias = hasBias ? inputs.last! : nil
        parallel(heads, grain: 1) { range in
            for head in range {
                for sample in 0..<s.batch {
                    attend(operands, s, sample: sample, head: head, p: p, bias: bias, output: output)
                }
            }
        }
        self.inputs = inputs
        probabilities = p
        return output
    }

    private func attend(_ o: Operands, _ s: Sizes, sample: Int, head: Int, p: Tensor, bias: Tensor?, output: Tensor) {
        let column = head * s.headWidth
        let keyColumn = head / group * s.headWidth
        let keys = s.ranges[sample]
        let k = Matrix(o.k + keys.lowerBound * o.keyStride + keyColumn, stride: o.keyStride, transposed: true)
        let v = Matrix(o.v + keys.lowerBound * o.valueStride + keyColumn, stride: o.valueStride)
        let stride = max(s.mostKeys, 1)
        let plane = p.pointer + (sample * heads + head) * s.queries * stride
        for block in blocks(queries: s.queries, keys: keys.count) {
            let rows = block.rows
            let scores = plane + rows.lowerBound * stride
            let q = Matrix(o.q + (sample * s.queries + rows.lowerBound) * o.queryStride + column, stride: o.queryStride)
            multiplySerially(q, k, into: Matrix(scores, stride: stride), m: rows.count, n: block.keys, k: s.headWidth)
            withVisible(rows) { visible in
                let biasRows = bias.map {
                    $0.pointer + (($0.shape[0] == 1 ? 0 : head) * s.queries + rows.lowerBound) * $0.width
                }
                atelier_softmax(scores, biasRows, visible, rows.count, block.keys, stride, bias?.width ?? 0, logitScale)
            }
            let out = Matrix(
                output.pointer + (sample * s.queries + rows.lowerBound) * s.width + column, stride: s.width)
            multiplySerially(Matrix(scores, stride: stride), v, into: out, m: rows.count, n: s.headWidth, k: block.keys)
            if block.keys == 0 {
                for row in 0..<rows.count { (out.pointer + row * s.width).update(repeating: 0, count: s.headWidth) }
            }
        }
    }

    private func withVisible(_ rows: Range<Int>, _ body: (UnsafePointer<Int32>?) -> Void) {
        guard let visible else { return body(nil) }
        visible.withUnsafeBufferPointer { body($0.baseAddress! + rows.lowerBound) }
    }

    /// One gradient an input, each of its input's shape, from ∂/∂y [B, T, C].
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
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
            let scratch = Tensor(uninitialized: [s.queries, max(s.mostKeys, 1)])
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
        _ o: Operands, _ d: Operands, _ s: Sizes, sample: Int, head: Int, dOutput: Tensor, scratch: Tensor,
        dbias: Tensor?
    ) {
        let column = head * s.headWidth
        let keyColumn = head / group * s.headWidth
        let keys = s.ranges[sample]
        let stride = max(s.mostKeys, 1)
        let k = Matrix(o.k + keys.lowerBound * o.keyStride + keyColumn, stride: o.keyStride)
        let v = Matrix(o.v + keys.lowerBound * o.valueStride + keyColumn, stride: o.valueStride, transposed: true)
        let dk = Matrix(d.k + keys.lowerBound * d.keyStride + keyColumn, stride: d.keyStride)
        let dv = Matrix(d.v + keys.lowerBound * d.valueStride + keyColumn, stride: d.valueStride)
        let plane = probabilities!.pointer + (sample * heads + head) * s.queries * stride
        for block in blocks(queries: s.queries, keys: keys.count) where block.keys > 0 {
            let rows = block.rows
            let first = sample * s.queries + rows.lowerBound
            let count = rows.count
            let p = plane + rows.lowerBound * stride
            let dp = scratch.pointer
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
