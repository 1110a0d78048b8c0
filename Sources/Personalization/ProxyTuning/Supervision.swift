import Images
import Layers
import Randomness
import Tensors

/// A supervisor's part in Proxy-Tuning of one concept (arXiv 2503.10125, section 3): it learns the concept from its
/// references by DreamBooth's LoRA, and draws the proxies.
package struct Supervision {
    private enum Purpose: UInt64 {
        case prior = 0x9D1
        case proxies
    }

    private let concept: Concept
    private let learner: PairLearner
    private let options: ProxyTuningOptions
    private let seed: UInt64
    private let index: Int

    /// - Parameters:
    ///   - learner: the supervisor with a word for the concept; `learner(on:)` of the seed `Supervision.seed`.
    ///   - index: the concept's number among the job's.
    package init(_ concept: Concept, _ index: Int, learner: PairLearner, options: ProxyTuningOptions, seed: UInt64) {
        (self.concept, self.index, self.learner, self.options, self.seed) = (concept, index, learner, options, seed)
    }

    /// Of the concept's word and training.
    package static func seed(_ seed: UInt64, _ index: Int) -> UInt64 { seed &+ UInt64(index) }

    /// Of every proxy's noise.
    package static func proxySeeds(_ count: Int, seed: UInt64, _ index: Int) -> [UInt64] {
        seeds(.proxies, count, seed: seed, index)
    }

    private static func seeds(_ purpose: Purpose, _ count: Int, seed: UInt64, _ index: Int) -> [UInt64] {
        Philox.seeds(seed &+ UInt64(index) &* 0x9E37, purpose: purpose.rawValue, 0..<count)
    }

    /// The training from the references, beside pictures of the class; its changes hang on the supervisor from here on.
    /// - Parameter prior: pictures of the class, `drawPrior`'s; none where nothing is left to learn.
    /// - Throws: `LoRAError.noSuchModule` for a target the supervisor does not have.
    package func training(prior: [Picture]) throws(LoRAError) -> PairTraining {
        let prompt = concept.plainClassPrompt
        return try PairTraining(
            learner, pairs: concept.pairs, prior: prior.map { PicturePair(prompt: prompt, picture: $0) },
            options: options.supervisor, seed: Supervision.seed(seed, index))
    }

    /// Draws what is missing of the pictures of the class, a batch at a time, before anything is learnt; `drawn` hears
    /// of all there are after each.
    package func drawPrior(
        having pictures: [Picture] = [], drawn: ([Picture]) throws -> Void = { _ in }
    ) rethrows -> [Picture] {
        let seeds = Supervision.seeds(.prior, options.priorPictures, seed: seed, index)
        let prompt = concept.plainClassPrompt
        return try draw({ _ in prompt }, seeds, having: pictures, drawn: drawn)
    }

    /// Draws what is missing of `count` proxies, a batch at a time; `drawn` hears of all there are after each.
    package func draw(
        _ count: Int, having pictures: [Picture] = [], drawn: ([Picture]) throws -> Void = { _ in }
    ) rethrows -> [Picture] {
        let seeds = Supervision.proxySeeds(count, seed: seed, index)
        return try draw({ options.prompt($0, of: concept) }, seeds, having: pictures, drawn: drawn)
    }

    private func draw(
        _ prompt: (Int) -> String, _ seeds: [UInt64], having pictures: [Picture], drawn: ([Picture]) throws -> Void
    ) rethrows -> [Picture] {
        var pictures = pictures
        pictures.removeLast(pictures.count % PairLearner.batch)
        for range in (pictures.count..<seeds.count).parts(of: PairLearner.batch) {
            pictures += learner.draw(range.map(prompt), Array(seeds[range]))
            try drawn(pictures)
        }
        return pictures
    }
}
