/// Streams of tokens that attend to each other, as SD3 and FLUX have them.
private struct StreamWork {
    let width, heads: Int

    /// A stream's projections, its adaptive values and its feed-forward; attention is counted for both together.
    func callAsFunction(_ samples: Int, tokens: Int, rank: Int, ends: Bool = false) -> Work {
        let rows = samples * tokens
        var work = Work()
        work.linear(samples, from: width, to: (ends ? 2 : 6) * width)
        work.cheap(rows * width)
        for _ in 0..<3 { work.linear(rows, from: width, to: width, rank: rank) }
        // Norms of queries and keys, and both streams laid together and taken apart.
        work.cheap(rows * width, operations: 2)
        work.pointwise(rows * width, operations: 4)
        guard !ends else { return work }
        work.linear(rows, from: width, to: width, rank: rank)
        work.cheap(rows * width, operations: 2)
        work.pointwise(rows * width)
        work.linear(rows, from: width, to: 4 * width)
        work.cheap(rows * 4 * width)
        work.linear(rows, from: 4 * width, to: width)
        work.cheap(rows * width)
        work.pointwise(rows * width)
        return work
    }

    func attention(_ samples: Int, tokens: Int) -> Work {
        var work = Work()
        let pairs = Double(samples) * Double(tokens) * Double(tokens)
        work.attention(samples * tokens, keys: samples * tokens, pairs: pairs, width: width, heads: heads)
        return work
    }

    /// What blocks are conditioned on, of so many numbers.
    func condition(_ samples: Int, from inputs: [Int]) -> Work {
        var work = Work()
        for count in inputs {
            work.linear(samples, from: count, to: width)
            work.linear(samples, from: width, to: width)
        }
        return work
    }
}

extension MMDiT.Configuration {
    func predicting(_ samples: Int, latents: Int, text: Int, rank: Int) -> Work {
        let stream = StreamWork(width: width, heads: heads)
        let patch = patchSize * patchSize
        let tokens = latents / patch
        var ends = stream.condition(samples, from: [TransformerCondition.frequencies, pooledWidth])
        ends.linear(samples * tokens, from: patch * latentChannels, to: width)
        ends.linear(samples * text, from: textWidth, to: width)
        ends.linear(samples, from: width, to: 2 * width)
        ends.pointwise(samples * tokens * width)
        ends.cheap(samples * tokens * width)
        ends.linear(samples * tokens, from: width, to: patch * outputChannels)
        let picture = stream(samples, tokens: tokens, rank: rank) + stream.attention(samples, tokens: tokens + text)
        var dual = stream.attention(samples, tokens: tokens)
        for _ in 0..<4 { dual.linear(samples * tokens, from: width, to: width, rank: rank) }
        dual.linear(samples, from: width, to: 3 * width)
        let recomputes = recomputes(samples: samples, tokens: tokens + text)
        return (0..<depth).reduce(ends) { sum, layer in
            var block = picture + stream(samples, tokens: text, rank: rank, ends: layer == depth - 1)
            if dualBlocks.contains(layer) { block += dual }
            return sum + block.blocks(1, reading: samples * (tokens + text) * width, where: recomputes)
        }
    }
}

extension FluxTransformer.Configuration {
    func predicting(_ samples: Int, latents: Int, text: Int, rank: Int) -> Work {
        let stream = StreamWork(width: width, heads: heads)
        let (tokens, frequencies) = (latents / 4, TransformerCondition.frequencies)
        var ends = stream.condition(
            samples, from: [frequencies, pooledWidth] + (isGuided ? [frequencies] : []))
        ends.linear(samples * tokens, from: patchChannels, to: width)
        ends.linear(samples * text, from: textWidth, to: width)
        ends.linear(samples, from: width, to: 2 * width)
        ends.cheap(samples * tokens * width)
        ends.linear(samples * tokens, from: width, to: outputChannels)
        let both =
            stream(samples, tokens: tokens, rank: rank) + stream(samples, tokens: text, rank: rank)
            + stream.attention(samples, tokens: tokens + text)
        let one = single(stream, samples, tokens + text, rank)
        let numbers = samples * (tokens + text) * width
        let recomputes = recomputes(samples: samples, tokens: tokens + text)
        return ends + both.blocks(depth, reading: numbers, where: recomputes)
            + one.blocks(singleDepth, reading: numbers, where: recomputes)
    }

    /// A block of one stream, attention and feed-forward side by side.
    private func single(_ stream: StreamWork, _ samples: Int, _ tokens: Int, _ rank: Int) -> Work {
        let rows = samples * tokens
        var work = stream.attention(samples, tokens: tokens)
        work.linear(samples, from: width, to: 3 * width)
        work.cheap(rows * width)
        for _ in 0..<3 { work.linear(rows, from: width, to: width, rank: rank) }
        work.cheap(rows * width, operations: 4)
        work.linear(rows, from: width, to: 4 * width)
        work.cheap(rows * 4 * width)
        work.pointwise(rows * 5 * width)
        work.linear(rows, from: 5 * width, to: width)
        work.cheap(rows * width)
        work.pointwise(rows * width)
        return work
    }
}
