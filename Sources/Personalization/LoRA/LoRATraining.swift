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
    private let booth: DreamBooth
    /// The model's own word that the concept goes by.
    package var word: String { booth.word }
    private let lora: LoRAAdapter
    private let optimizer: AdamW
    private let cuts: EncodedCuts
    /// Steps taken so far.
    package var step: Int { optimizer.step }
    /// Steps in all.
    package var steps: Int { options.iterations }

    /// Prepares a run; the adapter hangs on the backbone's weights from here on, until `detach`.
    /// - Parameter booth: with `options.priorPictures` drawn where the options say so.
    /// - Throws: `LoRAError.noSuchModule` for a target the backbone does not have.
    package init(_ booth: DreamBooth, concept: Concept, options: LoRAOptions, seed: UInt64) throws(LoRAError) {
        self.booth = booth
        self.concept = concept
        self.options = options
        self.seed = seed
        cuts = EncodedCuts(
            of: concept.references, from: concept.origins, in: concept.shapes,
            by: ReferenceAugmentation(size: booth.model.pictureSize, largestZoom: options.largestZoom),
            encode: booth.encode)
        lora = try LoRAAdapter(
            for: booth.model.transformerWeights,
            options: Self.changes(options, on: booth.model), seed: seed)
        try lora.attach(
            to: booth.model.transformerWeights, activity: options.actsOn == .prompt ? booth.acting.learning : nil)
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
        let loss = booth.conceptLoss(seen.map(\.picture), seen.map(\.origin), &noise)
        loss.backward()
        var prior: Float = 0
        if options.drawsPrior {
            var pick = Philox(seed: seed, purpose: Purpose.prior.rawValue, index: index)
            let kept = booth.priorLoss(
                (0..<options.batch).map { _ in pick.below(options.priorPictures) }, &noise)
            prior = kept.scalar
            (options.priorWeight * kept).backward()
        }
        booth.acting.end()
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
    package static func shapes(on model: any TunableBackbone, _ options: LoRAOptions) -> [String: [Int]] {
        LoRAAdapter.shapes(for: model.transformerWeights, changes(options, on: model))
    }

    private static func changes(_ options: LoRAOptions, on model: any TunableBackbone) -> LoRAAdapter.Options {
        .init(
            rank: options.rank, alpha: options.alpha, targets: options.targets ?? model.modules(options.actsOn),
            actsOn: options.actsOn)
    }

    /// Held against the backbone's weights, which stay as they are.
    package var excess: (module: String, ratio: Float)? { lora.excess(beside: booth.model.transformerWeights) }

    /// Continues from a state saved by a run of the same backbone, concept, options and seed.
    /// - Throws: `WeightsError` when the state belongs to other modules.
    package func restore(_ state: OptimizerState) throws(WeightsError) { try state.restore(optimizer) }

    /// Takes the changes off the backbone, whose weights are as they were.
    package func detach() { lora.detach(from: booth.model.transformerWeights) }

    /// What was learned, as a file holds it.
    package func adapter(modelDigest: String) throws -> Adapter {
        try Adapter(
            lora,
            description: Adapter.Description(
                method: .lora, model: booth.model.name, modelDigest: modelDigest, concept: concept.name,
                role: concept.role, className: concept.className, seed: seed, iterations: step, options: "{}"),
            word: booth.word)
    }
}
