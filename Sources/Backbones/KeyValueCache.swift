import Autograd
import Tensors

/// Keys and values of the tokens generated so far, of one block. Sequences may have different lengths.
///
/// Small ones are floats. Where a sequence's of all blocks together would take more than 64 MiB, as at the sizes that
/// are released, they are kept in bfloat16, as the references keep them.
final class KeyValueCache {
    private enum Memory {
        /// [sequences, capacity, C] each.
        case floats(keys: Tensor, values: Tensor)
        /// [sequences · capacity, C] each.
        case halves(keys: HalfRows, values: HalfRows)
    }

    private let memory: Memory
    private let capacity: Int
    /// Tokens each sequence holds.
    private(set) var counts: [Int]

    /// Bytes of a sequence's floats beyond which halves are kept (*ours*): of one alone, so that a picture is the same
    /// beside others.
    private static let mostBytes = 1 << 26

    /// Whether the caches of all blocks keep halves.
    private static func isHalf(blocks: Int, capacity: Int, width: Int) -> Bool {
        4 * 2 * blocks * capacity * width > mostBytes
    }

    /// Bytes of the caches of all blocks.
    static func bytes(blocks: Int, batch: Int, capacity: Int, width: Int) -> Int {
        let each = Self.isHalf(blocks: blocks, capacity: capacity, width: width) ? 2 : 4
        return each * 2 * blocks * batch * capacity * width
    }

    /// One for each of a model's blocks.
    /// - Parameter width: of the keys; narrower than the queries where key heads are shared.
    static func caches(blocks: Int, batch: Int, capacity: Int, width: Int) -> [KeyValueCache] {
        let isHalf = Self.isHalf(blocks: blocks, capacity: capacity, width: width)
        return (0..<blocks).map { _ in
            KeyValueCache(batch: batch, capacity: capacity, width: width, isHalf: isHalf)
        }
    }

    init(batch: Int, capacity: Int, width: Int, isHalf: Bool) {
        memory =
            isHalf
            ? .halves(
                keys: HalfRows(uninitialized: batch * capacity, width: width),
                values: HalfRows(uninitialized: batch * capacity, width: width))
            : .floats(
                keys: Tensor(uninitialized: [batch, capacity, width]),
                values: Tensor(uninitialized: [batch, capacity, width]))
        self.capacity = capacity
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
        let before = counts[sequences.lowerBound]
        precondition(
            !isCausal || sequences.allSatisfy { counts[$0] == before },
            "causal tokens must start at one place in every sequence")
        for (row, sequence) in sequences.enumerated() { append(k.value, v.value, row: row, to: sequence) }
        let attention = Attention(
            heads: heads, keyHeads: keyHeads, layout: .separate, logitScale: logitScale, hasBias: bias != nil,
            visible: isCausal ? (1...Int32(tokens)).map { Int32(before) + $0 } : nil,
            keyRanges: sequences.map { $0 * capacity..<$0 * capacity + counts[$0] })
        switch memory {
        case .floats(let keys, let values):
            return attention.apply([q, Variable(keys), Variable(values)] + (bias.map { [Variable($0)] } ?? []))
        case .halves(let keys, let values):
            return Variable(attention(q.value, keys: keys, values: values, bias: bias))
        }
    }

    /// Has a sequence hold what another one does.
    func copy(_ sequence: Int, to other: Int) {
        let (source, target, rows) = (sequence * capacity, other * capacity, counts[sequence])
        switch memory {
        case .floats(let keys, let values):
            for numbers in [keys, values] {
                (numbers.pointer + target * numbers.width).update(
                    from: numbers.pointer + source * numbers.width, count: rows * numbers.width)
            }
        case .halves(let keys, let values):
            for numbers in [keys, values] { numbers.copy(source..<source + rows, to: target) }
        }
        counts[other] = rows
    }

    private func append(_ k: Tensor, _ v: Tensor, row: Int, to sequence: Int) {
        let (tokens, width) = (k.shape[1], k.width)
        let first = sequence * capacity + counts[sequence]
        precondition(counts[sequence] + tokens <= capacity, "the cache holds \(capacity) tokens")
        let (newKeys, newValues) = (k.pointer + row * tokens * width, v.pointer + row * tokens * width)
        switch memory {
        case .floats(let keys, let values):
            (keys.pointer + first * width).update(from: newKeys, count: tokens * width)
            (values.pointer + first * width).update(from: newValues, count: tokens * width)
        case .halves(let keys, let values):
            keys.store(newKeys, from: first, count: tokens)
            values.store(newValues, from: first, count: tokens)
        }
        counts[sequence] += tokens
    }
}

extension [KeyValueCache] {
    /// Reads what sequences begin with, what several have in common once: the others take over what the first of them
    /// holds.
    /// - Parameters:
    ///   - beginnings: which one each sequence has.
    ///   - read: reads one into a sequence, and gives the logits [1, V] after it.
    /// - Returns: the logits of all sequences, [sequences, V].
    func begin(_ beginnings: [Int], read: (_ beginning: Int, _ sequence: Int) -> Tensor) -> Tensor {
        var known: [Int: (sequence: Int, logits: Tensor)] = [:]
        return .joined(
            beginnings.enumerated().map { sequence, beginning in
                if let first = known[beginning] {
                    for cache in self { cache.copy(first.sequence, to: sequence) }
                    return first.logits
                }
                let logits = read(beginning, sequence)
                known[beginning] = (sequence, logits)
                return logits
            })
    }
}
