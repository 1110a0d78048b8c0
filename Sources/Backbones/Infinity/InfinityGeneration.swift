import Autograd
import Glibc
import Randomness
import Tensors

/// How bits are chosen from logits.
package struct Sampling: Sendable {
    /// Guidance scale per scale; 1 leaves the conditional logits. Those beyond the last scale are not used, here as in
    /// `temperature`.
    package var guidance: [Float]
    /// Temperature τ per scale; logits are divided by it before guidance, as the reference does.
    package var temperature: [Float]
    /// Whether each bit takes its likelier value (top-k 1).
    package var isGreedy: Bool
    /// A bit's less likely value is never drawn where it has at most 1 − topP; 1 draws from both always.
    package var topP: Float
    /// One per picture: a picture's bits depend on its own seed only.
    package var seeds: [UInt64]

    /// - Parameters:
    ///   - guidance: at least one a scale, as of `temperature`.
    ///   - seeds: one a picture; none are needed where every bit takes its likelier value.
    package init(guidance: [Float], temperature: [Float], isGreedy: Bool = false, topP: Float = 1, seeds: [UInt64]) {
        self.guidance = guidance
        self.temperature = temperature
        self.isGreedy = isGreedy
        self.topP = topP
        self.seeds = seeds
    }

    /// Whether any scale leads away from what is said without the prompt.
    package var isGuided: Bool { guidance.contains { $0 != 1 } }

    /// The same for some of the pictures.
    package func part(_ pictures: Range<Int>) -> Sampling {
        var part = self
        part.seeds = Array(seeds.dropFirst(pictures.lowerBound).prefix(pictures.count))
        return part
    }

    /// The model's own distributions: no guidance, temperature 1.
    package static func plain(scales: Int, seeds: [UInt64]) -> Sampling {
        Sampling(
            guidance: Array(repeating: 1, count: scales), temperature: Array(repeating: 1, count: scales), seeds: seeds)
    }
}

extension InfinityTransformer {
    /// Generates pictures' bits scale by scale, with cached keys and values. `negative` replaces the learned
    /// unconditional text.
    ///
    /// `observe` sees the logits [B, n, 2·d] each scale's bits are chosen from; but as many of the first scales as are
    /// `given` are not drawn but taken from those maps.
    package func generate(
        _ text: TextFeatures, negative: TextFeatures? = nil, after given: (scales: Int, maps: TokenMaps)? = nil,
        sampling: Sampling, observe: (Int, Tensor) -> Void = { _, _ in }
    ) -> TokenMaps {
        Recording.withoutGradients {
            let schedule = configuration.schedule
            let batch = text.lengths.count
            let isGuided = sampling.isGuided
            precondition(min(sampling.guidance.count, sampling.temperature.count) >= schedule.sides.count)
            precondition(sampling.isGreedy || sampling.seeds.count == batch)
            let condition = condition(isGuided ? .joined([text, negative ?? unconditionalText(like: text)]) : text)
            let rows = isGuided ? 2 * batch : batch
            let quantizer = configuration.quantizer
            let caches = KeyValueCache.caches(
                blocks: blocks.count, batch: rows, capacity: schedule.tokens, width: configuration.width)
            let sum = quantizer.emptySum(batch: batch)
            var bits = [UInt8](repeating: 0, count: batch * schedule.tokens * configuration.bits)
            var generators = sampling.seeds.map { Philox(seed: $0, purpose: 0xB175, index: 0) }
            for (scale, range) in schedule.ranges.enumerated() {
                var x =
                    scale == 0
                    ? firstToken(condition)
                    : wordEmbedding(Variable(doubled(quantizer.tokens(sum, scale: scale), isGuided)))
                for (index, (block, cache)) in zip(blocks, caches).enumerated() {
                    if startsChunk(index) { x = leveled(x, scales: [scale]) }
                    x = block(x, condition, rotary: rotary.slice(range), visible: nil, cache: cache)
                }
                let logits = guided(
                    output(x, condition).value, batch: batch, guidance: sampling.guidance[scale],
                    temperature: sampling.temperature[scale])
                observe(scale, logits)
                if let given, scale < given.scales {
                    take(given.maps, range: range, into: &bits)
                } else {
                    choose(from: logits, range: range, by: sampling, &generators, into: &bits)
                }
                quantizer.add(quantizer.codes(bits: bits, batch: batch, scale: scale), to: sum, takingFrom: nil)
            }
            return quantizer.maps(bits: bits, batch: batch)
        }
    }

    /// As many rows of the learned unconditional text as every prompt has tokens.
    private func unconditionalText(like text: TextFeatures) -> TextFeatures {
        dropping(text, of: Set(text.lengths.indices))
    }

    private func doubled(_ x: Tensor, _ isGuided: Bool) -> Tensor { isGuided ? .joined([x, x]) : x }

    /// (guidance · cond + (1 − guidance) · uncond) / τ, [B, n, 2·d].
    private func guided(_ logits: Tensor, batch: Int, guidance: Float, temperature: Float) -> Tensor {
        let conditional = logits.slice(0..<batch)
        let result = Tensor(zeros: conditional.shape)
        result.accumulate(conditional, scale: guidance / temperature)
        if guidance != 1 { result.accumulate(logits.slice(batch..<2 * batch), scale: (1 - guidance) / temperature) }
        return result
    }

    private func take(_ given: TokenMaps, range: Range<Int>, into bits: inout [UInt8]) {
        let (tokens, depth) = (configuration.schedule.tokens, configuration.bits)
        for b in 0..<given.batch {
            let rows = (b * tokens + range.lowerBound) * depth..<(b * tokens + range.upperBound) * depth
            bits.replaceSubrange(rows, with: given.bits[rows])
        }
    }

    private func choose(
        from logits: Tensor, range: Range<Int>, by sampling: Sampling, _ generators: inout [Philox],
        into bits: inout [UInt8]
    ) {
        let batch = logits.shape[0]
        let depth = configuration.bits
        let perPicture = range.count * depth
        for b in 0..<batch {
            for i in 0..<perPicture {
                let margin = logits.pointer[2 * (b * perPicture + i) + 1] - logits.pointer[2 * (b * perPicture + i)]
                let share = 1 / (1 + exp(-margin))
                let isClear = sampling.isGreedy || min(share, 1 - share) <= 1 - sampling.topP
                let isSet = isClear ? margin > 0 : generators[b].uniform() < share
                bits[(b * configuration.schedule.tokens + range.lowerBound) * depth + i] = isSet ? 1 : 0
            }
        }
    }
}
