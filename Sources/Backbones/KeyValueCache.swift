import Autograd
import Tensors

/// Keys and values of the tokens generated so far, of one block. Sequences may have different lengths.
final class KeyValueCache {
    private let keys, values: Tensor  // [sequences, capacity, C]
    /// Tokens each sequence holds.
    private(set) var counts: [Int]

    /// - Parameter width: of the keys; narrower than the queries where key heads are shared.
    init(batch: Int, capacity: Int, width: Int) {
        keys = Tensor(uninitialized: [batch, capacity, width])
        values = Tensor(uninitialized: [batch, capacity, width])
        counts = Array(repeating: 0, count: batch)
    }

    /// Adds the tokens of k and v [R, T, C] to `sequences` (all by default) and attends from q [R, T, heads ·
    /// headWidth] to everything these hold: every token to all new ones, or causally to those up to itself, with `bias`
    /// [1, T, keys] on the scores. Records no gradient.
    func attend(
        _ q: Variable, _ k: Variable, _ v: Variable, sequences: Range<Int>? = nil, heads: Int, keyHeads: Int? = nil,
        logitScale: Float,
        isCausal: Bool = false, bias: Tensor? = nil
    ) -> Variable {
        let sequences = sequences ?? counts.indices
        let tokens = q.shape[1]
        let capacity = keys.shape[1]
        let before = counts[sequences.lowerBound]
        precondition(
            !isCausal || sequences.allSatisfy { counts[$0] == before },
            "causal tokens must start at one place in every sequence")
        for (row, sequence) in sequences.enumerated() { append(k.value, v.value, row: row, to: sequence) }
        let attention = Attention(
            heads: heads, keyHeads: keyHeads, layout: .separate, logitScale: logitScale, hasBias: bias != nil,
            visible: isCausal ? (1...Int32(tokens)).map { Int32(before) + $0 } : nil,
            keyRanges: sequences.map { $0 * capacity..<$0 * capacity + counts[$0] })
        return attention.apply([q, Variable(keys), Variable(values)] + (bias.map { [Variable($0)] } ?? []))
    }

    private func append(_ k: Tensor, _ v: Tensor, row: Int, to sequence: Int) {
        let tokens = k.shape[1]
        let width = k.width
        let target = (sequence * keys.shape[1] + counts[sequence]) * width
        precondition(counts[sequence] + tokens <= keys.shape[1], "the cache holds \(keys.shape[1]) tokens")
        (keys.pointer + target).update(from: k.pointer + row * tokens * width, count: tokens * width)
        (values.pointer + target).update(from: v.pointer + row * tokens * width, count: tokens * width)
        counts[sequence] += tokens
    }
}
