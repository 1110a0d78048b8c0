import Engine
import Foundation
import Jobs
import Personalization
import Randomness

/// What the papers compare their methods with, small: each learns from the references alone. Steps and rates are
/// *ours*, for the papers' were chosen for models hundreds of times as large.
enum Baseline: String {
    /// The concept's word alone learns, begun as its class noun (Gal et al., arXiv 2208.01618).
    case textualInversion = "textual-inversion"
    /// All of the transformer learns, beside pictures of the class (Ruiz et al., arXiv 2208.12242).
    case dreamBooth = "dreambooth"
    /// The word learns first, begun at random, then low-rank changes of the attention (PersonalAR, arXiv 2504.13162).
    case personalAR = "personalar"

    var title: String {
        switch self {
        case .textualInversion: "textual inversion"
        case .dreamBooth: "DreamBooth end to end"
        case .personalAR: "PersonalAR"
        }
    }

    /// Whether the concept's word begins as its class noun; as a rare word otherwise.
    var beginsAsNoun: Bool { self == .textualInversion }

    /// What its cells depend on beside their models, subject and seed.
    var settings: String {
        "\(stages), \(BaselineRun.priorPictures) pictures of the class, begins as noun: \(beginsAsNoun)"
    }

    /// The stages, one after the other, and whether pictures of the class must stay in them.
    var stages: [(options: PairTraining.Options, preservesPrior: Bool)] {
        func options(
            _ learning: PairTraining.Options.Learning, _ iterations: Int, _ rate: Float
        ) -> PairTraining.Options {
            var options = PairTraining.Options(
                iterations: iterations, batch: 4, learningRate: rate, rank: 16, alpha: 32)
            (options.learning, options.largestZoom, options.weightDecay) = (learning, 1.15, 0)
            return options
        }
        return switch self {
        case .textualInversion: [(options(.words, 600, 1e-2), false)]
        case .dreamBooth: [(options(.weights, 300, 2e-4), true)]
        case .personalAR: [(options(.words, 300, 1e-2), false), (options(.lowRank, 300, 1e-3), false)]
        }
    }
}

/// A baseline from its first stage to its last, on a model that is its own.
struct BaselineRun {
    /// Draws prompts that name the concept as it was learnt.
    let paint: Painting
    /// For learning.
    let seconds: Double
    /// Numbers that learned.
    let parameters: Int

    /// Pictures of the class that must stay.
    static let priorPictures = 32
    private static let priorPurpose: UInt64 = 0xBA5E

    /// - Parameter iterations: of every stage, instead of its own number.
    /// - Throws: `JobFailure` where the loss is no number any more.
    init(_ baseline: Baseline, _ concept: Concept, seed: UInt64, on loaded: LoadedModel, iterations: Int?) throws {
        let learner = loaded.backbone.pairLearner(of: [concept], seed: seed)
        if baseline.beginsAsNoun { learner.beginWord(of: concept) }
        let seeds = Philox.seeds(seed, purpose: Self.priorPurpose, 0..<Self.priorPictures)
        let prior =
            baseline.stages.contains(where: \.preservesPrior) ? learner.classPictures(of: concept, seeds: seeds) : []
        let start = Date()
        var count = 0
        for (options, preservesPrior) in baseline.stages {
            var options = options
            options.iterations = iterations ?? options.iterations
            try loaded.whileLearning {
                let training = try PairTraining(
                    learner, pairs: concept.pairs, prior: preservesPrior ? prior : [], options: options, seed: seed)
                count += training.learning.reduce(0) { $0 + $1.count }
                try TrainingRun.advance(training)
                // What a stage learnt is fixed in the next, and while the model draws.
                training.freeze()
            }
        }
        (paint, seconds, parameters) = (learner.draw, Date().timeIntervalSince(start), count)
    }
}
