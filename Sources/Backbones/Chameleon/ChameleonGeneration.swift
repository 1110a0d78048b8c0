import Glibc
import Randomness
import Tensors

/// How codes are chosen from logits.
package struct CodeSampling: Sendable {
    /// Guidance scale; 1 leaves the conditional logits.
    package var guidance: Float
    /// Codes that may be chosen: the likeliest so many; 1 is greedy.
    package var topK: Int
    /// Of those, the likeliest until their probabilities add up to more than this; 1 leaves all.
    package var topP: Float
    /// What the guided logits are divided by before the softmax.
    package var temperature: Float
    /// One per picture: a picture's codes depend on its own seed only.
    package var seeds: [UInt64]

    /// - Parameter seeds: one a picture.
    package init(guidance: Float, topK: Int, topP: Float = 1, temperature: Float, seeds: [UInt64]) {
        self.guidance = guidance
        self.topK = topK
        self.topP = topP
        self.temperature = temperature
        self.seeds = seeds
    }

    /// The same for some of the pictures.
    func part(_ pictures: Range<Int>) -> CodeSampling {
        var part = self
        part.seeds = Array(seeds[pictures])
        return part
    }
}

/// Everything before a picture's first code.
package struct ChameleonPrompt {
    /// With marks, begin-image and the size: what `ChameleonModel.ids(before:)` makes.
    package let ids: [Int32]
    /// Context vectors with their place in `ids`.
    package let contexts: [LayerContext]
    /// Pairs of positions between which attention is cut, whichever comes first.
    package let hiddenPairs: [(Int, Int)]

    /// - Parameter contexts: each at positions of `ids`; where two lie on one, the last holds.
    package init(ids: [Int32], contexts: [LayerContext] = [], hiddenPairs: [(Int, Int)] = []) {
        self.ids = ids
        self.contexts = contexts
        self.hiddenPairs = hiddenPairs
    }

    /// Added to attention scores [1, T, T]: zero, and for hidden pairs a number that leaves nothing of them.
    package var bias: Tensor? {
        guard !hiddenPairs.isEmpty else { return nil }
        let bias = Tensor(zeros: [1, ids.count, ids.count])
        for (a, b) in hiddenPairs {
            bias.pointer[a * ids.count + b] = -1e9
            bias.pointer[b * ids.count + a] = -1e9
        }
        return bias
    }
}

extension ChameleonTransformer {
    /// Generates pictures code by code, each [h · w]: inside a row nothing but codes is chosen from, and row ends are
    /// put in place.
    ///
    /// The unconditional branch of guidance sees `heading` (begin-image and the size) and the codes alone. `reading` is
    /// told which prompt is about to be read, and nil once codes are. `observe` sees the logits before each code: of
    /// the prompts [B, V], and after them, with guidance, of the unconditional ones.
    /// - Parameter places: which prompt each picture is of; one picture of each unless given.
    package func generate(
        _ prompts: [ChameleonPrompt], at places: [Int]? = nil, heading: [Int32], grid: PictureGrid,
        vocabulary: ChameleonVocabulary, sampling: CodeSampling, reading: (Int?) -> Void = { _ in },
        observe: (Tensor) -> Void = { _ in }
    ) -> [[Int32]] {
        let places = places ?? Array(prompts.indices)
        let pictures = places.count
        precondition(
            sampling.seeds.count == pictures, "\(sampling.seeds.count) seeds for \(pictures) pictures")
        let isGuided = sampling.guidance != 1
        let all = prompts + (isGuided ? [ChameleonPrompt(ids: heading)] : [])
        let beginnings = places + (isGuided ? places.map { _ in prompts.count } : [])
        let decoder = ChameleonDecoder(
            self, sequences: beginnings.count,
            capacity: (all.map(\.ids.count).max() ?? 0) + grid.codes + grid.height)
        var logits = decoder.begin(beginnings) { index, sequence in
            reading(index < prompts.count ? index : nil)
            let prompt = all[index]
            return decoder.read(prompt.ids, sequence: sequence, contexts: prompt.contexts, bias: prompt.bias)
        }
        reading(nil)
        var choices = sampling.seeds.map { CodeChoice(sampling, seed: $0) }
        var codes = [[Int32]](repeating: [], count: pictures)
        for index in 0..<grid.codes {
            observe(logits)
            for picture in places.indices {
                let guided = guided(
                    logits, picture: picture, of: pictures, guidance: sampling.guidance, vocabulary)
                codes[picture].append(choices[picture].choose(guided))
            }
            if index + 1 == grid.codes { break }
            let chosen = codes.map { $0[index] + vocabulary.firstCode }
            logits = decoder.advance(isGuided ? chosen + chosen : chosen)
            if (index + 1) % grid.width == 0 { logits = decoder.advance(beginnings.map { _ in vocabulary.newLine }) }
        }
        return codes
    }

    /// The codes' part of guidance · (cond − uncond) + uncond.
    private func guided(
        _ logits: Tensor, picture: Int, of count: Int, guidance: Float, _ vocabulary: ChameleonVocabulary
    ) -> [Float] {
        let conditional = logits.pointer + picture * logits.width
        guard guidance != 1 else { return vocabulary.codeIDs.map { conditional[$0] } }
        let unconditional = logits.pointer + (count + picture) * logits.width
        return vocabulary.codeIDs.map { unconditional[$0] + guidance * (conditional[$0] - unconditional[$0]) }
    }
}

/// Draws one picture's codes.
struct CodeChoice {
    private let sampling: CodeSampling
    private var generator: Philox

    init(_ sampling: CodeSampling, seed: UInt64) {
        self.sampling = sampling
        generator = Philox(seed: seed, purpose: 0xC0DE, index: 0)
    }

    /// A code by softmax(logits / temperature) among the top-k, and the top-p of those.
    mutating func choose(_ logits: [Float]) -> Int32 {
        let largest = logits.max()!
        if sampling.topK == 1 { return Int32(logits.firstIndex(of: largest)!) }
        let least = sampling.topK < logits.count ? logits.sorted(by: >)[sampling.topK - 1] : -.infinity
        var weights = logits.map { $0 < least ? 0 : exp(($0 - largest) / sampling.temperature) }
        if sampling.topP < 1 { weights = likeliest(weights) }
        var rest = generator.uniform() * weights.reduce(0, +)
        for (code, weight) in weights.enumerated() where weight > 0 {
            rest -= weight
            if rest < 0 { return Int32(code) }
        }
        return Int32(weights.lastIndex { $0 > 0 }!)
    }

    /// The weights with zeros behind the likeliest whose sum is more than the top-p of all; the one that makes it so
    /// stays.
    private func likeliest(_ weights: [Float]) -> [Float] {
        let share = sampling.topP * weights.reduce(0, +)
        var kept = [Float](repeating: 0, count: weights.count)
        var sum: Float = 0
        for code in weights.indices.sorted(by: { (weights[$0], $1) > (weights[$1], $0) }) where sum <= share {
            kept[code] = weights[code]
            sum += weights[code]
        }
        return kept
    }
}
