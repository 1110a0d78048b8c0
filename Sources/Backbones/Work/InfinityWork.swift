extension InfinityModel.Configuration: BackboneWork {
    /// The text, all scales, and the picture of their sum.
    package func drawing(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work {
        guard pictures <= drawnTogether else { return drawingApart(pictures, prompt: tokens, sampling) }
        let work: Work =
            Double(sampling.prompts(pictures)) * reading(1, tokens: tokens)
            + transformer.drawing(pictures, rows: sampling.rows(pictures), text: tokens)
            + tokenizer.work.decoding(pictures, height: pictureHeight, width: pictureWidth)
        return work.rounded(as: sampling.weights)
    }

    /// T5's, of prompts that are not filled up.
    package func reading(_ prompts: Int, tokens: Int) -> Work { text.encoding(prompts, tokens: tokens) }

    /// All scales at once, each seeing itself and those before.
    package func pass(_ pictures: Int, prompt tokens: Int, rank: Int) -> Work {
        let (all, read) = (schedule.tokens, pictures * tokens)
        let pairs = zip(schedule.sides, schedule.ranges).reduce(0.0) {
            $0 + Double($1.0.tokens) * Double($1.1.upperBound)
        }
        return transformer.condition(pictures, text: read)
            + transformer.blocks(
                pictures, tokens: all, keys: all, pairs: Double(pictures) * pairs, text: read, rank: rank)
    }

    /// The BSQ-VAE's encoder, and the bits of all scales.
    package func encoding(_ pictures: Int) -> Work {
        var work = tokenizer.work.encoding(pictures, height: pictureHeight, width: pictureWidth)
        // Every scale takes its bits from what is left, and gives them back.
        work.pointwise(pictures * schedule.last.tokens * transformer.bits, operations: 5 * schedule.sides.count)
        work[.choices] += Double(pictures * schedule.tokens * transformer.bits)
        return work
    }

    /// Features of the last scale's tokens.
    package var encodedNumbers: Int { schedule.last.tokens * transformer.bits }

    /// Two numbers a bit, of all scales' tokens.
    package var answers: Int { schedule.tokens * 2 * transformer.bits }

    /// Of the products on a picture's tokens: those by ARBooth's weights, by all of a block's.
    package var tunedShare: Double {
        let (tuned, all) = transformer.multiplications
        return tuned / all
    }

    /// With their biases, of all blocks.
    package var tunedNumbers: Int {
        let c = transformer
        return c.depth * (4 * c.width * c.width + 2 * c.width * c.feedForwardWidth + 7 * c.width + c.feedForwardWidth)
    }

    /// All of them.
    package var blocks: Int { transformer.depth }

    /// Of both attentions' projections, packed as the checkpoint has them: 13·C a block.
    package var lowRankNumbers: Int { transformer.depth * 13 * transformer.width }

    /// Pictures that are drawn together.
    package var drawnTogether: Int {
        PicturesTogether.drawn(
            each: KeyValueCache.bytes(
                blocks: transformer.depth, batch: 2, capacity: schedule.tokens, width: transformer.width))
    }

    /// Of a picture.
    var pixels: Int { pictureHeight * pictureWidth }

    private var pictureHeight: Int { schedule.last.height * tokenizer.tokenSize }
    private var pictureWidth: Int { schedule.last.width * tokenizer.tokenSize }
}

extension InfinityTransformer.Configuration {
    /// Scale by scale with cached keys and values, the running sum resized at each.
    /// - Parameters:
    ///   - rows: twice the pictures where they are guided.
    ///   - tokens: of a text.
    package func drawing(_ pictures: Int, rows: Int, text tokens: Int) -> Work {
        var work = condition(rows, text: rows * tokens)
        for (side, range) in zip(schedule.sides, schedule.ranges) {
            let pairs = Double(rows) * Double(side.tokens) * Double(range.upperBound)
            work += blocks(rows, tokens: side.tokens, keys: range.upperBound, pairs: pairs, text: rows * tokens)
            // The running sum is resized to the scale and back, and every bit is drawn.
            work.pointwise(pictures * schedule.last.tokens * bits, operations: 3)
            work[.choices] += Double(pictures * side.tokens * bits)
        }
        work.keep(
            bytes: KeyValueCache.bytes(blocks: depth, batch: rows, capacity: schedule.tokens, width: width))
        return work
    }

    /// What all blocks read of the texts.
    fileprivate func condition(_ samples: Int, text: Int) -> Work {
        var work = Work()
        work.pointwise(text * textWidth)
        work.linear(text, from: textWidth, to: 2 * width)
        work.attention(samples, keys: text, pairs: Double(text), width: width, heads: poolingHeads)
        work.linear(samples, from: width, to: width)
        work.linear(text, from: textWidth, to: width)
        work.pointwise(text * width)
        work.linear(text, from: width, to: width)
        work.linear(samples, from: width, to: 6 * width)
        return work
    }

    /// `tokens` of each sample through all blocks and the head; `text` tokens in all.
    fileprivate func blocks(
        _ samples: Int, tokens: Int, keys: Int, pairs: Double, text: Int, rank: Int = 0
    ) -> Work {
        let rows = samples * tokens
        var block = Work()
        block.cheap(rows * width)
        block.linear(rows, from: width, to: 3 * width, rank: rank)
        block.cheap(3 * rows * width)
        block.attention(rows, keys: samples * keys, pairs: pairs, width: width, heads: heads)
        block.linear(rows, from: width, to: width, rank: rank)
        block.pointwise(rows * width)
        block.cheap(rows * width)
        block.linear(rows, from: width, to: width, rank: rank)
        block.linear(text, from: width, to: 2 * width, rank: rank)
        let crossed = Double(tokens) * Double(text)
        block.attention(rows, keys: text, pairs: crossed, width: width, heads: heads)
        block.linear(rows, from: width, to: width, rank: rank)
        block.pointwise(rows * width)
        block.cheap(rows * width)
        block.linear(rows, from: width, to: feedForwardWidth)
        block.cheap(rows * feedForwardWidth)
        block.linear(rows, from: feedForwardWidth, to: width)
        block.pointwise(rows * width)
        // The six adaptive values of every sample.
        block.pointwise(samples * 6 * width, operations: 7)
        var ends = Work()
        ends.linear(rows, from: bits, to: width)
        ends.cheap(rows * width, operations: 2)
        ends.linear(samples, from: width, to: 2 * width)
        ends.linear(rows, from: width, to: 2 * bits)
        return block.blocks(depth, rows: rows, width: width) + ends
    }

    /// Multiplications a token: those with ARBooth's weights, and all.
    fileprivate var multiplications: (tuned: Double, all: Double) {
        let square = Double(width * width)
        let tuned = 2 * square + 2 * Double(width * feedForwardWidth)
        return (tuned, tuned + 4 * square)
    }
}
