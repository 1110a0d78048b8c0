import Autograd
import Layers
import Randomness
import Tensors

/// One LoRA DreamBooth run on any backbone: low-rank changes of its attention learn a concept, the model's own weights
/// stay as they are.
///
/// Everything random at step s depends on the seed and s alone, and a checkpoint holds every number the next step
/// reads.
package final class LoRATraining: ConceptTraining {
    /// The losses of one step, before their weights.
    package struct StepLosses: TrainingLosses {
        /// With the prior's weight.
        package let total: Float
        /// Of the references, the mean over a picture's tokens.
        package let concept: Float
        /// Of the class's pictures; 0 where nothing is preserved.
        package let prior: Float
        /// Before it is clipped to 1.
        package let gradientNorm: Float
        /// The same by their names, as loss curves have them.
        package var parts: KeyValuePairs<String, Float> { ["concept": concept, "prior": prior] }
    }

    private enum Purpose: UInt64 {
        case references = 41
        case crops, prior, losses
    }

    private let options: LoRAOptions
    private let concept: Concept
    private let seed: UInt64
    private let backbone: DreamBooth
    /// The model's own word that the concept goes by.
    package var word: String { backbone.word }
    private let lora: LoRAAdapter
    private let optimizer: AdamW
    private let cuts: EncodedCuts
    /// Steps taken so far.
    package var step: Int { optimizer.step }
    /// Steps in all.
    package var steps: Int { options.iterations }

    /// Prepares a run; the adapter hangs on the backbone's weights from here on, until `detach`.
    /// - Parameter backbone: with `options.priorPictures` drawn where the options say so.
    /// - Throws: `LoRAError.noSuchModule` for a target the backbone does not have.
    package init(backbone: DreamBooth, concept: Concept, options: LoRAOptions, seed: UInt64) throws(LoRAError) {
        self.backbone = backbone
        self.concept = concept
        self.options = options
        self.seed = seed
        cuts = EncodedCuts(
            of: concept.references, from: concept.origins, in: concept.shapes,
            by: ReferenceAugmentation(size: backbone.pictureSize, largestZoom: options.largestZoom),
            encode: backbone.encode)
        lora = try LoRAAdapter(
            for: backbone.weights, options: Self.changes(options, of: backbone.modules(options.actsOn)), seed: seed)
        try lora.attach(
            to: backbone.weights, activity: options.actsOn == .prompt ? backbone.acting.learning : nil)
        for parameter in lora.parameters { parameter.isTrainable = true }
        optimizer = AdamW(
            lora.parameters,
            AdamW.Options(
                learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
                weightDecay: options.weightDecay,
                largestNorm: 1),
            moments: options.moments)
    }

    /// One training step.
    package func advance() -> StepLosses {
        let index = UInt64(optimizer.step)
        var pick = Philox(seed: seed, purpose: Purpose.references.rawValue, index: index)
        var crop = Philox(seed: seed, purpose: Purpose.crops.rawValue, index: index)
        let seen = (0..<options.batch).map { _ in cuts(pick.below(concept.references.count), &crop) }
        var noise = Philox(seed: seed, purpose: Purpose.losses.rawValue, index: index)
        let loss = backbone.conceptLoss(seen.map(\.picture), seen.map(\.origin), &noise)
        loss.backward()
        var prior: Float = 0
        if options.drawsPrior {
            var pick = Philox(seed: seed, purpose: Purpose.prior.rawValue, index: index)
            let kept = backbone.priorLoss(
                (0..<options.batch).map { _ in pick.below(options.priorPictures) }, &noise)
            prior = kept.scalar
            (options.priorWeight * kept).backward()
        }
        backbone.acting.end()
        return StepLosses(
            total: loss.scalar + options.priorWeight * prior, concept: loss.scalar, prior: prior,
            gradientNorm: optimizer.update())
    }

    /// Everything the next step reads.
    package var state: OptimizerState { OptimizerState(optimizer) }

    /// A and B of every module, by PEFT's names.
    package var learning: [String: Parameter] {
        Dictionary(uniqueKeysWithValues: lora.parameters.map { (LoRAAdapter.prefix + $0.name, $0) })
    }

    /// The shapes of what such a run learns, by the same names, of a model that nothing was done with yet.
    /// - Parameter modules: ends of the names of those that change unless the options say others.
    package static func shapes(
        in weights: Weights, changing modules: [String], _ options: LoRAOptions
    ) -> [String: [Int]] {
        LoRAAdapter.shapes(for: weights, changes(options, of: modules))
    }

    private static func changes(_ options: LoRAOptions, of modules: [String]) -> LoRAAdapter.Options {
        .init(rank: options.rank, alpha: options.alpha, targets: options.targets ?? modules, actsOn: options.actsOn)
    }

    /// Held against the backbone's weights, which stay as they are.
    package var excess: (module: String, ratio: Float)? { lora.excess(beside: backbone.weights) }

    /// Continues from a state saved by a run of the same backbone, concept, options and seed.
    /// - Throws: `WeightsError` when the state belongs to other modules.
    package func restore(_ state: OptimizerState) throws(WeightsError) { try state.restore(optimizer) }

    /// Takes the changes off the backbone, whose weights are as they were.
    package func detach() { lora.detach(from: backbone.weights) }

    /// What was learned, as a file holds it.
    package func adapter(modelDigest: String) throws -> Adapter {
        try Adapter(
            lora,
            description: Adapter.Description(
                method: Adapter.loraMethod, model: backbone.name, modelDigest: modelDigest, concept: concept.name,
                role: concept.role,
                className: concept.className, seed: seed, iterations: step, options: "{}"),
            word: backbone.word)
    }
}
