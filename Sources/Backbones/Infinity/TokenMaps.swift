import Autograd
import Layers
import Tensors

/// Pictures as bits of all scales, with what the transformer and the decoder read.
package struct TokenMaps {
    /// What scales the bits are of, L tokens in all.
    package let schedule: ScaleSchedule
    /// B, the pictures.
    package let batch: Int
    /// Bits per token, d.
    package let depth: Int
    /// [B, L, d], each 0 or 1; scales one after the other, row by row.
    package let bits: [UInt8]
    /// What the transformer reads for the scales after the first [B, L − first, d]: the running sum resized to each.
    package let inputs: Tensor
    /// The codes of all scales summed at the last one's size [B, d, h, w].
    package let sum: Tensor

    /// - Precondition: shapes are those of the members; nothing is checked.
    package init(schedule: ScaleSchedule, batch: Int, depth: Int, bits: [UInt8], inputs: Tensor, sum: Tensor) {
        self.schedule = schedule
        self.batch = batch
        self.depth = depth
        self.bits = bits
        self.inputs = inputs
        self.sum = sum
    }

    /// The bits of one scale [B, n, d].
    package func bits(ofScale scale: Int) -> [UInt8] {
        let range = schedule.ranges[scale]
        let stride = schedule.tokens * depth
        return (0..<batch).flatMap {
            bits[$0 * stride + range.lowerBound * depth..<$0 * stride + range.upperBound * depth]
        }
    }
}

/// Features of texts, without padding: samples lie one after the other.
package struct TextFeatures {
    /// [ΣT, D].
    package let values: Variable
    /// Tokens of each sample.
    package let lengths: [Int]

    /// - Precondition: `values` has as many rows as `lengths` sum up to.
    package init(values: Variable, lengths: [Int]) {
        precondition(
            values.value.rows == lengths.reduce(0, +), "text features \(values.shape) do not hold \(lengths) tokens")
        self.values = values
        self.lengths = lengths
    }

    /// The features of one text, `count` times.
    package func repeated(_ count: Int) -> TextFeatures {
        precondition(lengths.count == 1, "only one text's features can be repeated")
        let rows = (0..<count).flatMap { _ in (0..<lengths[0]).map(Int32.init) }
        return TextFeatures(values: Gather(rows).apply([values]), lengths: Array(repeating: lengths[0], count: count))
    }

    /// Texts, one after the other; records no gradient.
    package static func joined(_ texts: [TextFeatures]) -> TextFeatures {
        TextFeatures(values: Variable(.joined(texts.map(\.values.value))), lengths: texts.flatMap(\.lengths))
    }

    /// These texts, then others.
    package func followed(by others: TextFeatures) -> TextFeatures {
        let parts = [self, others].map { $0.values.reshaped([1, $0.values.value.rows, $0.values.value.width]) }
        let all = Concatenate().apply(parts)
        return TextFeatures(
            values: all.reshaped([all.shape[1], all.shape[2]]), lengths: lengths + others.lengths)
    }

    /// The same with the rows of some ids replaced by others [n, D], as many as are given.
    /// - Parameter ids: what the features are of, of every sample.
    func spliced(_ ids: [[Int32]], _ rows: [Int32: Variable]) -> TextFeatures {
        guard ids.contains(where: { $0.contains { rows[$0] != nil } }) else { return self }
        var (parts, lengths, start): ([Variable], [Int], Int) = ([], [], 0)
        for sample in ids {
            var length = 0
            for id in sample {
                let part = rows[id] ?? Gather([Int32(start)]).apply([values])
                parts.append(part.reshaped([1, part.value.rows, values.value.width]))
                length += part.value.rows
                start += 1
            }
            lengths.append(length)
        }
        let all = Concatenate().apply(parts)
        return TextFeatures(values: all.reshaped([all.shape[1], all.shape[2]]), lengths: lengths)
    }

    /// The rows of each sample.
    package var ranges: [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}
