extension ChameleonModel.Configuration: BackboneWork {
    /// Every prompt, and with guidance the heading, is read alone; then all sequences advance together, a token a step.
    package func drawing(_ pictures: Int, prompt tokens: Int, _ sampling: DrawingWork) -> Work {
        guard pictures <= drawnTogether else { return drawingApart(pictures, prompt: tokens, sampling) }
        let (read, heading, weights) = (tokens + opening, heading.count, sampling.weights)
        var work = Double(sampling.prompts(pictures)) * decoder.reading(1, tokens: read, answers: 1, weights: weights)
        if sampling.isGuided { work += decoder.reading(1, tokens: heading, answers: 1, weights: weights) }
        let before = sampling.isGuided ? Double(read + heading) / 2 : Double(read)
        // The last row's end is not put in place.
        work += decoder.continuing(
            sampling.rows(pictures), steps: grid.codes + grid.height - 2, after: before, weights)
        work.choose(pictures * grid.codes, of: vocabulary.codes)
        return work + tokenizer.decoding(pictures, height: pictureHeight, width: pictureWidth).rounded(as: weights)
    }

    /// Logits of every token, the prompt's among them.
    package func pass(_ pictures: Int, prompt tokens: Int, rank: Int) -> Work {
        let length = tokens + opening + sequence
        return decoder.reading(pictures, tokens: length, answers: pictures * length, rank: rank)
    }

    /// The VQGAN's encoder, and the comparison with every code.
    package func encoding(_ pictures: Int) -> Work {
        tokenizer.encoding(pictures, height: pictureHeight, width: pictureWidth)
    }

    /// A code each.
    package var encodedNumbers: Int { grid.codes }

    /// Of the picture's part of a sequence, [tokens, V].
    package var answers: Int { sequence * transformer.vocabularySize }

    /// The same for the one of several sizes of pictures whose sequence is the longest; its own where there are none.
    package func longest(of sizes: [(height: Int, width: Int)]) -> ChameleonModel.Configuration {
        let others = sizes.map { size in
            var other = self
            other.otherGrid = grid(height: size.height, width: size.width)
            return other
        }
        return others.max { $0.sequence < $1.sequence } ?? self
    }

    /// Of four projections a layer: 6·C + 2·keyWidth.
    package var lowRankNumbers: Int { decoder.lowRankNumbers(isPacked: false) }

    private var decoder: DecoderWork {
        let c = transformer
        return DecoderWork(
            width: c.width, depth: c.depth, heads: c.heads, keyWidth: c.keyHeads * c.headWidth,
            feedForward: c.feedForwardWidth, vocabulary: c.vocabularySize)
    }

    /// Pictures that are drawn together.
    package var drawnTogether: Int {
        decoder.drawnTogether(tokens: grid.codes + grid.height)
    }

    /// Of a picture.
    var pixels: Int { pictureHeight * pictureWidth }

    private var pictureHeight: Int { grid.height * tokenizer.patchSize }
    private var pictureWidth: Int { grid.width * tokenizer.patchSize }
}

extension ChameleonTokenizer.Configuration {
    fileprivate func encoding(_ pictures: Int, height: Int, width: Int) -> Work {
        PictureAutoencoderWork.together(pictures, each: height * width) { together in
            let positions = together * (height / patchSize) * (width / patchSize)
            var work = self.work.encoding(together, height: height, width: width)
            work.linear(positions, from: latentChannels, to: codeWidth)
            work.compare(positions, with: codes, width: codeWidth)
            return work
        }
    }

    fileprivate func decoding(_ pictures: Int, height: Int, width: Int) -> Work {
        var work = self.work.decoding(pictures, height: height, width: width)
        work.linear(
            pictures * (height / patchSize) * (width / patchSize), from: codeWidth, to: latentChannels)
        return work
    }
}
