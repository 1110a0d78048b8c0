import Tensors

/// Draws one picture's codes, step by step, under guidance.
package struct LlamaGenSampling: Sendable {
    /// Guidance, top-k, temperature and seeds.
    package var codes: CodeSampling
    /// The last step (0 is that of the second code) that is guided; all are when nil.
    package var lastGuidedStep: Int?

    /// The published defaults are a guidance of 7.5, top-k 1000 and temperature 1.
    package init(_ codes: CodeSampling, lastGuidedStep: Int? = nil) {
        (self.codes, self.lastGuidedStep) = (codes, lastGuidedStep)
    }
}

extension LlamaGenTransformer {
    /// Generates pictures of `count` codes (a full grid unless given), each [count] row by row, from the real features
    /// [L, D] of each caption. `observe` sees the logits [B, V] that each code is chosen from; `reading` is told which
    /// caption is about to be read, and nil once codes are.
    ///
    /// The unconditional half of guidance reads as many of the last rows of `unconditional` as its caption has
    /// features.
    /// - Parameter places: which caption each picture is of; one picture of each unless given.
    package func generate(
        _ captions: [Tensor], at places: [Int]? = nil, count: Int? = nil, sampling: LlamaGenSampling,
        observe: (Tensor) -> Void = { _ in }, reading: (Int?) -> Void = { _ in }
    ) -> [[Int32]] {
        let count = count ?? configuration.side * configuration.side
        let places = places ?? Array(captions.indices)
        let pictures = places.count
        precondition(
            sampling.codes.seeds.count == pictures, "\(sampling.codes.seeds.count) seeds for \(pictures) pictures")
        let isGuided = sampling.codes.guidance > 1
        let all = captions + (isGuided ? captions.map { unconditionalCaption(length: $0.rows) } : [])
        let beginnings = places + (isGuided ? places.map { captions.count + $0 } : [])
        let decoder = LlamaGenDecoder(self, sequences: beginnings.count)
        var logits = decoder.begin(beginnings) { index, sequence in
            reading(index < captions.count ? index : nil)
            return decoder.read(all[index], sequence: sequence)
        }
        reading(nil)
        var choices = sampling.codes.seeds.map { CodeChoice(sampling.codes, seed: $0) }
        var codes = [[Int32]](repeating: [], count: pictures)
        for index in 0..<count {
            let isStillGuided = isGuided && (index == 0 || sampling.lastGuidedStep.map { index - 1 <= $0 } ?? true)
            let guided =
                isStillGuided
                ? guided(logits, pictures: pictures, by: sampling.codes.guidance) : logits.slice(0..<pictures)
            observe(guided)
            for picture in 0..<pictures {
                codes[picture].append(choices[picture].choose(guided.slice(picture..<picture + 1).values))
            }
            if index + 1 == count { break }
            let chosen = codes.map { $0[index] }
            logits = decoder.advance(isGuided ? chosen + chosen : chosen)
        }
        return codes
    }

    /// The last `length` rows of the prefix of a dropped caption, [length, D].
    private func unconditionalCaption(length: Int) -> Tensor {
        unconditional.value.slice(configuration.captionLength - length..<configuration.captionLength)
    }

    /// uncond + guidance · (cond − uncond), [pictures, V], of logits [2 · pictures, V], the conditional ones first.
    private func guided(_ logits: Tensor, pictures: Int, by guidance: Float) -> Tensor {
        let conditional = logits.slice(0..<pictures)
        let result = logits.slice(pictures..<2 * pictures).copy()
        for i in 0..<result.count { result.pointer[i] += guidance * (conditional.pointer[i] - result.pointer[i]) }
        return result
    }
}
