import Autograd
import Images
import Layers
import Randomness
import Tensors

/// A prompt and a picture it must lead to.
package struct PicturePair: Sendable, Equatable {
    /// Concepts are named as `<rex>`.
    package var prompt: String
    /// Of the backbone's size, or larger.
    package var picture: Picture
    /// What the picture was cut from.
    package var origin: PictureOrigin

    /// - Parameter origin: the picture itself, where it is a whole one, as those that models draw are.
    package init(prompt: String, picture: Picture, origin: PictureOrigin? = nil) {
        (self.prompt, self.picture) = (prompt, picture)
        self.origin = origin ?? PictureOrigin(middleOf: picture)
    }
}

/// A stage of Proxy-Tuning: low-rank changes of a backbone's attention, or what else is to learn, learn pictures under
/// prompts, beside pictures of the class that must stay. Everything random at step s depends on the seed and s alone,
/// and `state` holds every number the next step reads.
package final class PairTraining: StepwiseTraining {
    /// The losses of one step, before their weights.
    package struct StepLosses: TrainingLosses {
        /// With the prior's weight.
        package let total: Float
        /// Of the pairs.
        package let pairs: Float
        /// Of what must stay; 0 where there is nothing.
        package let prior: Float
        /// AdamW's before it is clipped to 1; Prodigy's is not clipped.
        package let gradientNorm: Float
        /// The same by their names, as loss curves have them.
        package var parts: KeyValuePairs<String, Float> { ["pairs": pairs, "prior": prior] }
    }

    /// How it learns.
    package struct Options: Sendable {
        /// AdamW, or Prodigy (Mishchenko and Defazio, arXiv 2306.06101), which finds its learning rate itself.
        package enum Rule: String, Sendable { case adamw, prodigy }

        /// What learns.
        package enum Learning: Sendable {
            /// Low-rank changes of the backbone (LoRA).
            case lowRank
            /// The same, that act on the concepts' words alone; so they do where a diffusion model draws as it learns,
            /// and on nothing where others do.
            case lowRankOnWords
            /// The concepts' words alone (textual inversion, Gal et al., arXiv 2208.01618).
            case words
            /// All of the backbone's weights (DreamBooth end to end, arXiv 2208.12242).
            case weights
        }

        /// Low-rank changes, unless it is set.
        package var learning = Learning.lowRank
        fileprivate var isLowRank: Bool { [.lowRank, .lowRankOnWords].contains(learning) }
        /// The tokens that low-rank changes act on.
        var actsOn: ActingTokens { learning == .lowRankOnWords ? .prompt : .all }
        /// Steps.
        package var iterations: Int
        /// Pairs a step, and as many of what must stay.
        package var batch: Int
        /// AdamW, unless it is set.
        package var rule = Rule.adamw
        /// The rule's; of Prodigy a factor of what it finds.
        package var learningRate: Float
        /// Of the first moment.
        package var beta1: Float = 0.9
        /// Of the second moment.
        package var beta2: Float = 0.999
        /// Decoupled from the gradients.
        package var weightDecay: Float = 0.01
        /// How AdamW keeps its moments; Prodigy's are floats.
        package var moments = AdamW.Precision.single
        /// r of low-rank changes.
        package var rank: Int
        /// α, divided by r.
        package var alpha: Float
        /// Of the loss on what must stay.
        package var priorWeight: Float = 1
        /// The largest random enlargement of a picture before the centre crop.
        package var largestZoom: Float = 1
        /// The modules that change, by the ends of their names; nil takes the attention's.
        package var targets: [String]?

        /// The rest is the usual until it is set.
        package init(iterations: Int, batch: Int, learningRate: Float, rank: Int, alpha: Float) {
            (self.iterations, self.batch, self.learningRate) = (iterations, batch, learningRate)
            (self.rank, self.alpha) = (rank, alpha)
        }
    }

    /// Texts whose features are kept at most, for memory: as many as a job may name contexts.
    package static let mostKeptTexts = 64

    private enum Purpose: UInt64 {
        case pairs = 61
        case crops, prior, losses
    }

    /// The backbone as it was given.
    package let learner: PairLearner
    private let options: Options
    private let pairs, prior: [PicturePair]
    private let seed: UInt64
    /// What hangs on the backbone; nothing where its own weights learn, or words.
    package let lora: LoRAAdapter
    /// What learns.
    package let learning: [Parameter]
    private let optimizer: any Optimizer
    /// The pairs' pictures, and those that must stay, which are not enlarged.
    private let pairCuts, priorCuts: EncodedCuts
    /// Steps taken.
    package var step: Int { optimizer.step }
    /// Steps in all.
    package var steps: Int { options.iterations }

    /// Prepares a run; the adapter hangs on the backbone's weights from here on, until `detach`. Weights that learn are
    /// changed in place.
    /// - Parameter prior: what must stay, as the untouched model drew it; may be empty.
    /// - Throws: `LoRAError.noSuchModule` for a target the backbone does not have.
    package init(
        _ learner: PairLearner, pairs: [PicturePair], prior: [PicturePair] = [], options: Options, seed: UInt64
    ) throws(LoRAError) {
        precondition(!pairs.isEmpty, "nothing to learn")
        (self.learner, self.pairs, self.prior, self.options, self.seed) = (learner, pairs, prior, options, seed)
        let model = learner.model
        func cuts(of pairs: [PicturePair], largestZoom: Float) -> EncodedCuts {
            EncodedCuts(
                of: pairs.map(\.picture), from: pairs.map(\.origin),
                by: ReferenceAugmentation(size: model.pictureSize, largestZoom: largestZoom), encode: learner.encode)
        }
        pairCuts = cuts(of: pairs, largestZoom: options.largestZoom)
        priorCuts = cuts(of: prior, largestZoom: 1)
        lora = try LoRAAdapter(
            for: model.transformerWeights,
            options: .init(
                rank: options.rank, alpha: options.alpha,
                targets: options.isLowRank ? options.targets ?? model.modules(options.actsOn) : [],
                actsOn: options.actsOn),
            seed: seed)
        try lora.attach(
            to: model.transformerWeights, activity: options.actsOn == .prompt ? learner.acting.learning : nil)
        learning =
            switch options.learning {
            case .lowRank, .lowRankOnWords: lora.parameters
            case .words: learner.words.values.sorted { $0.name < $1.name }
            case .weights: model.transformerWeights.parameters
            }
        for parameter in learning { parameter.isTrainable = true }
        switch options.rule {
        case .adamw:
            optimizer = AdamW(
                learning,
                AdamW.Options(
                    learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
                    weightDecay: options.weightDecay, largestNorm: 1),
                moments: options.moments)
        case .prodigy:
            optimizer = Prodigy(
                learning, learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
                weightDecay: options.weightDecay)
        }
    }

    /// One training step.
    package func advance() -> StepLosses {
        let loss = loss(of: pairs, pairCuts, .pairs)
        loss.backward()
        var kept: Float = 0
        if !prior.isEmpty {
            let loss = self.loss(of: prior, priorCuts, .prior)
            kept = loss.scalar
            (options.priorWeight * loss).backward()
        }
        learner.acting.end()
        return StepLosses(
            total: loss.scalar + options.priorWeight * kept, pairs: loss.scalar, prior: kept,
            gradientNorm: optimizer.update())
    }

    private func loss(of all: [PicturePair], _ cuts: EncodedCuts, _ purpose: Purpose) -> Variable {
        let index = UInt64(optimizer.step)
        var pick = Philox(seed: seed, purpose: purpose.rawValue, index: index)
        var crop = Philox(seed: seed, purpose: Purpose.crops.rawValue, index: index)
        // The two losses of a step have noise of their own.
        var noise = Philox(
            seed: seed, purpose: Purpose.losses.rawValue, index: 2 * index + (purpose == .pairs ? 0 : 1))
        let seen = (0..<options.batch).map { _ in
            let number = pick.below(all.count)
            let (picture, origin) = cuts(number, &crop)
            return EncodedPair(prompt: all[number].prompt, picture: picture, origin: origin)
        }
        return learner.loss(seen, &noise)
    }

    /// A module that is changed by far more than its own size, as no training that went well does, and by how many
    /// times; nil where none is.
    package var excess: (module: String, ratio: Float)? { lora.excess(beside: learner.model.transformerWeights) }

    /// Everything the next step reads.
    package var state: OptimizerState { OptimizerState(optimizer) }

    /// Continues from a state saved by a run of the same backbone, pictures, options and seed.
    /// - Throws: `WeightsError` when the state belongs to other modules.
    package func restore(_ state: OptimizerState) throws(WeightsError) { try state.restore(optimizer) }

    /// Lets nothing learn any more; what was learnt stays on the model.
    package func freeze() { for parameter in learning { parameter.isTrainable = false } }

    /// Takes the changes off the model again, and lets nothing learn any more.
    package func detach() {
        lora.detach(from: learner.model.transformerWeights)
        freeze()
    }
}
