import Tensors

/// By how much tuning changed a next-scale transformer's blocks, kind of layer by kind (ARBooth, arXiv 2504.02612,
/// figure 3): where the change is largest, tuning has most to do.
package struct WeightChange {
    /// The kinds of layers in a block.
    package enum Kind: String, CaseIterable, Sendable {
        case selfAttention = "self-attention"
        case crossAttention = "cross-attention"
        case feedForward = "feed-forward"
        case modulation = "modulation"

        /// The kind that a block's weight belongs to, by its name after the block's.
        init?(_ name: Substring) {
            if name.hasPrefix("sa.") {
                self = .selfAttention
            } else if name.hasPrefix("ca.") || name.hasPrefix("ca_norm.") {
                self = .crossAttention
            } else if name.hasPrefix("ffn.") {
                self = .feedForward
            } else if name.hasPrefix("ada_") {
                self = .modulation
            } else {
                return nil
            }
        }
    }

    /// One kind of layer in one block.
    package struct Layer: Sendable, Equatable {
        /// From 0.
        package let block: Int
        /// Which layers of the block.
        package let kind: Kind
        /// The mean over the layer's numbers of |θ − θ₀| / (|θ₀| + ε).
        package let mean: Double
        /// ‖θ − θ₀‖ / ‖θ₀‖, which numbers near zero do not rule.
        package let norm: Double
    }

    /// Block by block, kind by kind.
    package let layers: [Layer]

    /// - Parameters:
    ///   - before: the transformer's weights by name, and `after` the tuned ones; those outside blocks do not count.
    ///   - epsilon: keeps numbers near zero from counting for everything (*ours*: the paper names no value).
    package init(before: [String: Tensor], after: [String: Tensor], epsilon: Float = 1e-3) {
        struct Sums { var ratios = 0.0, changes = 0.0, squares = 0.0, count = 0 }
        var sums: [Int: [Kind: Sums]] = [:]
        // Released models have their blocks in groups: `block_chunks.1.module.3.…` is of the second group's fourth.
        let inGroups = before.keys.compactMap { $0.wholeMatch(of: /block_chunks\.\d+\.module\.(\d+)\..*/)?.1 }
        let inGroup = (inGroups.compactMap { Int($0) }.max() ?? 0) + 1
        for (full, old) in before {
            let name = Self.ungrouped(full, of: inGroup)
            let parts = name.split(separator: ".", maxSplits: 2)
            guard parts.count == 3, parts[0] == "blocks", let block = Int(parts[1]), let kind = Kind(parts[2]),
                let new = after[full]
            else { continue }
            precondition(old.shape == new.shape, "\(name) was \(old.shape) and is \(new.shape)")
            var sum = sums[block, default: [:]][kind] ?? Sums()
            for (a, b) in zip(old.values, new.values) {
                let change = abs(b - a)
                sum.ratios += Double(change / (abs(a) + epsilon))
                sum.changes += Double(change) * Double(change)
                sum.squares += Double(a) * Double(a)
            }
            sum.count += old.count
            sums[block, default: [:]][kind] = sum
        }
        layers = sums.keys.sorted().flatMap { block in
            Kind.allCases.compactMap { kind in
                sums[block]![kind].map {
                    Layer(
                        block: block, kind: kind, mean: $0.ratios / Double($0.count),
                        norm: ($0.changes / max($0.squares, 1e-30)).squareRoot())
                }
            }
        }
    }

    /// A block's weight under the number that the block has without groups of `size`.
    private static func ungrouped(_ name: String, of size: Int) -> String {
        guard let match = name.wholeMatch(of: /block_chunks\.(\d+)\.module\.(\d+)\.(.*)/), let group = Int(match.1),
            let block = Int(match.2)
        else { return name }
        return "blocks.\(group * size + block).\(match.3)"
    }
}
