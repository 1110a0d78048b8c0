import Tensors

/// A decoder of LLaMA's kind, as Chameleon and LlamaGen have it: causal attention and a gated feed-forward, token by
/// token where it draws.
struct DecoderWork: Sendable {
    let width, depth, heads, keyWidth, feedForward, vocabulary: Int

    /// `tokens` new ones of each sample through all layers, of which `pairs` see each other or what came before them;
    /// `answers` rows of logits.
    func callAsFunction(
        _ samples: Int, tokens: Int, keys: Int, pairs: Double, answers: Int, rank: Int = 0,
        weights: Work.Weights = .single
    ) -> Work {
        let rows = samples * tokens
        var layer = Work()
        layer.cheap(rows * width)
        layer.linear(rows, from: width, to: width, rank: rank, weights: weights)
        for _ in 0..<2 { layer.linear(rows, from: width, to: keyWidth, rank: rank, weights: weights) }
        layer.cheap(rows * (width + keyWidth), operations: 2)
        // Of few queries it is as exact as products of few rows are.
        var attention = Work()
        attention.attention(rows, keys: keys, pairs: pairs, width: width, heads: heads)
        layer += tokens > mostMappedRows ? attention.rounded(as: weights) : attention
        layer.linear(rows, from: width, to: width, rank: rank, weights: weights)
        layer.pointwise(rows * width)
        layer.cheap(rows * width)
        for _ in 0..<2 { layer.linear(rows, from: width, to: feedForward, weights: weights) }
        layer.cheap(rows * feedForward, operations: 2)
        layer.linear(rows, from: feedForward, to: width, weights: weights)
        layer.pointwise(rows * width)
        var ends = Work()
        ends.cheap(rows * width)
        ends.pointwise(answers * width)
        ends.linear(answers, from: width, to: vocabulary, weights: weights)
        return layer.blocks(depth, rows: rows, width: width) + ends
    }

    /// A sequence that is read at once.
    func reading(
        _ samples: Int, tokens: Int, answers: Int, rank: Int = 0, weights: Work.Weights = .single
    ) -> Work {
        let pairs = Double(samples) * Double(tokens) * Double(tokens + 1) / 2
        return self(
            samples, tokens: tokens, keys: samples * tokens, pairs: pairs, answers: answers, rank: rank,
            weights: weights)
    }

    /// `steps` of one token each of every sequence, after `before` that were read.
    func continuing(_ sequences: Int, steps: Int, after before: Double, _ weights: Work.Weights) -> Work {
        guard steps > 0 else { return Work() }
        let seen = (before + Double(steps + 1) / 2) * Double(sequences)
        var work =
            Double(steps)
            * self(sequences, tokens: 1, keys: Int(seen), pairs: seen, answers: sequences, weights: weights)
        work.keep(
            bytes: KeyValueCache.bytes(
                blocks: depth, batch: sequences, capacity: Int(before) + steps, width: keyWidth))
        return work
    }

    /// Pictures of so many tokens that are drawn together, each with its prompt and without.
    func drawnTogether(tokens: Int) -> Int {
        PicturesTogether.drawn(
            each: KeyValueCache.bytes(blocks: depth, batch: 2, capacity: tokens, width: keyWidth))
    }

    /// Numbers of a low-rank change of rank 1.
    func lowRankNumbers(isPacked: Bool) -> Int {
        depth * ((isPacked ? 4 : 6) * width + 2 * keyWidth)
    }
}
