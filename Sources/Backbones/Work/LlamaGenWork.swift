extension LlamaGenModel.Configuration: BackboneWork {
    /// Every caption, and with guidance the dropped one, is read alone; then all advance together, a code a step.
    package func drawing(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work {
        guard pictures <= drawnTogether else { return drawingApart(pictures, prompt: tokens, sampling) }
        let (rows, captions) = (sampling.rows(pictures), sampling.prompts(pictures))
        let (read, weights) = (Double(sampling.rows(captions)), sampling.weights)
        var work = (Double(captions) * reading(1, tokens: tokens) + read * prefix(tokens)).rounded(as: weights)
        work += read * decoder.reading(1, tokens: tokens, answers: 1, weights: weights)
        work += decoder.continuing(rows, steps: codes - 1, after: Double(tokens), weights)
        work.choose(pictures * codes, of: transformer.codes)
        return work + tokenizer.decoding(pictures, side: transformer.side).rounded(as: weights)
    }

    /// T5's, of captions that are not filled up.
    package func reading(_ prompts: Int, tokens: Int) -> Work { text.encoding(prompts, tokens: tokens) }

    /// The whole prefix, and logits of codes alone.
    package func pass(_ pictures: Int, prompt tokens: Int, rank: Int) -> Work {
        let length = transformer.captionLength + codes - 1
        return prefix(pictures * transformer.captionLength)
            + decoder.reading(pictures, tokens: length, answers: pictures * codes, rank: rank)
    }

    /// The VQGAN's encoder, and the comparison with every code.
    package func encoding(_ pictures: Int) -> Work { tokenizer.encoding(pictures, side: transformer.side) }

    /// A code each.
    package var encodedNumbers: Int { codes }

    /// Queries, keys and values are one matrix: 4·C + 2·keyWidth a layer.
    package var lowRankNumbers: Int { decoder.lowRankNumbers(isPacked: true) }

    /// Pictures that are drawn together.
    package var drawnTogether: Int { decoder.drawnTogether(tokens: transformer.captionLength + codes) }

    /// Of a picture.
    var pixels: Int { codes * tokenizer.patchSize * tokenizer.patchSize }

    private var codes: Int { transformer.side * transformer.side }

    private var decoder: DecoderWork {
        let c = transformer
        return DecoderWork(
            width: c.width, depth: c.depth, heads: c.heads, keyWidth: c.keyWidth, feedForward: c.feedForwardWidth,
            vocabulary: c.codes)
    }

    /// Caption features on their way into the sequence.
    private func prefix(_ rows: Int) -> Work {
        var work = Work()
        work.linear(rows, from: transformer.captionWidth, to: transformer.width)
        work.pointwise(rows * transformer.width)
        work.linear(rows, from: transformer.width, to: transformer.width)
        return work
    }
}

extension LlamaGenTokenizer.Configuration {
    fileprivate func encoding(_ pictures: Int, side: Int) -> Work {
        let pixels = side * patchSize
        return PictureAutoencoderWork.together(pictures, each: pixels * pixels) { together in
            let positions = together * side * side
            var work = self.work.encoding(together, height: pixels, width: pixels)
            work.linear(positions, from: latentChannels, to: codeWidth)
            work.compare(positions, with: codes, width: codeWidth)
            return work
        }
    }

    fileprivate func decoding(_ pictures: Int, side: Int) -> Work {
        var work = self.work.decoding(pictures, height: side * patchSize, width: side * patchSize)
        work.linear(pictures * side * side, from: codeWidth, to: latentChannels)
        return work
    }
}
