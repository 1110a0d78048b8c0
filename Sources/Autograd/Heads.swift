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
/// is one. With fewer key heads, the key and value sections are as much narrower.
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
                OperationExample(
                    Heads(heads: 4, keyHeads: 2, sections: 3, normalize: true, rotary: rotary),
                    [.example([2, 3, 32]), .example([4], seed: 2)]),
            ]
        } + [
            OperationExample(
                Heads(heads: 2, sections: 1, normalize: false, rotary: nil),
                [.example([3, 8]), .example([2], seed: 2)])
        ]
    }
    package static let isCheap = true
    let heads: Int
    /// Heads of key and value.
    let keyHeads: Int
    let sections: Int
    let normalize: Bool
    let rotary: RotaryTable?
    @Kept private var saved: [Tensor] = []
    private var norms: [Tensor] = []
    /// `heads` of the query, `keyHeads` of key and value (as many unless given); `sections` 3 for a packed query, key
    /// and value, 1 for a query alone; `rotary` has as many tokens as x [B, T, ..].
    package init(heads: Int, keyHeads: Int? = nil, sections: Int, normalize: Bool, rotary: RotaryTable?) {
        precondition(sections == 1 || sections == 3)
        self.heads = heads
        self.keyHeads = keyHeads ?? heads
        self.sections = sections
        self.normalize = normalize
        self.rotary = rotary
    }

    /// The sections that are prepared: the head each begins at, and how many it has.
    private var prepared: [(first: Int, heads: Int)] {
        sections == 3 ? [(0, heads), (heads, keyHeads)] : [(0, heads)]
    }

    private func headWidth(_ x: Tensor) -> Int { x.width / (sections == 3 ? heads + 2 * keyHeads : heads) }

    /// x [.., sections·heads·headWidth], gain [heads] → the shape of x.
    package mutating func forward(_ inputs: [Tensor]) -> Tensor {
        let x = inputs[0]
        let rows = x.rows
        let stride = x.width
        let headWidth = headWidth(x)
        let gain = inputs.count > 1 ? inputs[1] : nil
        let y = Tensor(uninitialized: x.shape)
        norms = prepared.map { Tensor(uninitialized: [rows, $0.heads]) }
        parallel(rows, grain: 8) { [norms] range in
            for (part, section) in prepared.enumerated() {
                let column = section.first * headWidth
                atelier_heads(
                    y.pointer + column, norms[part].pointer, x.pointer + column, stride,
                    part == 0 ? gain?.pointer : nil,
                    rotary?.cosine.pointer, rotary?.sine.pointer, range.lowerBound, range.upperBound,
                    rotary?.tokens ?? 1, section.heads,
                    headWidth, normalize, rotary?.pairsHalves ?? false)
            }
            if sections == 3 { Heads.copyValues(x, y, from: (heads + keyHeads) * headWidth, rows: range) }
        }
        saved = inputs
        return y
    }

    /// ∂/∂x like x and ∂/∂gain [heads], from ∂/∂y like x.
    package func backward(_ dOutput: Tensor, needs: [Bool]) -> [Tensor?] {
        let saved = saved
        let x = saved[0]
        let gain = saved.count > 1 ? saved[1] : nil
        let rows = x.rows
        let stride = x.width
        let headWidth = headWidth(x)
        let dx = Tensor(uninitialized: x.shape)
        let dgainRows = needs.count > 1 && needs[1] ? Tensor(uninitialized: [rows, heads]) : nil
        parallel(rows, grain: 8) { range in
            for (part, section) in prepared.enumerated() {
                let column = section.first * headWidth
                atelier_heads_backward(
                    dx.pointer + column, stride, part == 0 ? dgainRows?.pointer : nil, dOutput.pointer + column,
                    x.pointer + column, norms[part].pointer, part == 0 ? gain?.pointer : nil,
                    rotary?.cosine.pointer,
                    rotary?.sine.pointer, range.lowerBound, range.upperBound, rotary?.tokens ?? 1, section.heads,
                    headWidth, normalize,
                    rotary?.pairsHalves ?? false)
            }
            if sections == 3 { Heads.copyValues(dOutput, dx, from: (heads + keyHeads) * headWidth, rows: range) }
        }
        guard let dgainRows else { return [dx, nil] }
        let dgain = Tensor(zeros: [heads])
        atelier_reduce_rows(dgain.pointer, dgainRows.pointer, nil, rows, heads, max(rows, 1), 1, 0, heads)
        return [dx, dgain]
    }

    /// The columns from one on: the value section.
    private static func copyValues(_ source: Tensor, _ target: Tensor, from column: Int, rows: Range<Int>) {
        for row in rows {
            let start = row * source.width + column
            (target.pointer + start).update(from: source.pointer + start, count: source.width - column)
        }
    }
}
