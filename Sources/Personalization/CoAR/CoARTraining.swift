import Autograd
import Backbones
import Images
import Layers
import Randomness
import Tensors

/// One CoAR run: a frozen Chameleon learns a concept as a text and an image vector for each of its first layers (arXiv
/// 2508.07341).
///
/// Everything random at step s depends on the seed and s alone, and a checkpoint holds every number the next step
/// reads, so a run resumed from a checkpoint ends with the same bytes as an undisturbed one.
package final class CoARTraining: ConceptTraining {
    /// The losses of one step, before their weights.
    package struct StepLosses: TrainingLosses {
        /// With all weights.
        package let total: Float
        /// Cross-entropy of the references' tokens.
        package let concept: Float
        /// Cross-entropy of a picture of the class; 0 where nothing is preserved.
        package let prior: Float
        /// KL(frozen ‖ current) on that picture; 0 where nothing is preserved.
        package let divergence: Float
        /// (1/N) Σ ‖P − mean‖² of the image vectors; 0 without self-regularization.
        package let regularization: Float
        /// Of both vectors together; it is not clipped.
        package let gradientNorm: Float
        /// The same by their names, as loss curves have them.
        package var parts: KeyValuePairs<String, Float> {
            ["concept": concept, "prior": prior, "divergence": divergence, "regularization": regularization]
        }
    }

    private enum Purpose: UInt64 {
        case references = 21
        case crops, prior, priorPictures, start
    }

    /// Those that the adapter keeps.
    package let options: CoAROptions
    /// Whose references it learns.
    package let concept: Concept
    private let seed: UInt64
    private let model: ChameleonModel
    private let text, image: Parameter
    private let optimizer: AdamW
    private let cuts: EncodedCuts
    /// Each layer's mean state of the references' codes [N, C].
    private let mean: Tensor
    /// What stands before a reference's codes, by its grid: the prompt says its size.
    private let prompts: [PictureGrid: ChameleonPrompt]
    private let prior: Prior?
    /// Steps taken so far.
    package var step: Int { optimizer.step }
    /// Steps in all.
    package var steps: Int { options.iterations }

    /// Prepares a run; the model stays as it is.
    package init(model: ChameleonModel, concept: Concept, options: CoAROptions, seed: UInt64) {
        model.freeze()
        self.model = model
        self.concept = concept
        self.options = options
        self.seed = seed
        cuts = EncodedCuts(
            of: concept.references, from: concept.origins, in: concept.shapes,
            by: ReferenceAugmentation(size: model.configuration.pictureSize, largestZoom: options.largestZoom)
        ) { .shaped(model.encoded([$0])[0]) }
        let references = concept.pictures(size: model.configuration.pictureSize)
        let start = CoARTraining.start(
            model: model, concept: concept, references: references, options: options, seed: seed)
        mean = start.mean
        text = Parameter(name: ContextVectors.textName, value: start.text)
        image = Parameter(name: ContextVectors.imageName, value: start.image)
        for parameter in [text, image] { parameter.isTrainable = true }
        let vectors = ContextVectors(text: text.variable, image: image.variable)
        let grids = Set(references.map { model.configuration.grid(height: $0.height, width: $0.width) })
        prompts = Dictionary(
            uniqueKeysWithValues: grids.map { grid in
                let prompts = ConceptPrompts(model.drawing(grid), concepts: [concept.name: vectors])
                return (grid, prompts(options.prompt(of: concept)))
            })
        prior =
            options.priorPreservation
            ? Prior(
                model: model, prompt: concept.classPhotoPrompt, image: image,
                seeds: Philox.seeds(seed, purpose: Purpose.priorPictures.rawValue, 0..<options.priorPictures)) : nil
        optimizer = AdamW(
            [text, image],
            AdamW.Options(
                learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
                weightDecay: options.weightDecay,
                largestNorm: nil),
            moments: options.moments ?? .single)
    }

    /// Where the vectors start: the text vectors at the states of the class noun (of the word for styles) in the
    /// placeholder's place, the image vectors at the mean of the references' codes, or near zero without
    /// self-regularization.
    private static func start(
        model: ChameleonModel, concept: Concept, references: [Picture], options: CoAROptions, seed: UInt64
    ) -> (text: Tensor, image: Tensor, mean: Tensor) {
        let c = model.configuration.transformer
        let frozen = FrozenStates(model: model, layers: options.layerCount(of: c.depth, role: concept.role))
        let mean = frozen.meanOfCodes(concept.classPhotoPrompt, references: references)
        let word = concept.role == .subject ? concept.className : concept.wording.noun
        let noun = model.textTokenizer.words(amid: word).last ?? 0
        let tokenizer = model.textTokenizer.adding(placeholders: [concept.placeholder])
        let words = model.words(options.prompt(of: concept), tokenizer: tokenizer)
        let name = tokenizer.identifier(of: concept.placeholder)!
        let place = words.firstIndex(of: name) ?? 0
        let ids = model.configuration.vocabulary.opened(words.map { $0 == name ? noun : $0 })
        let image = options.selfRegularization ? mean.copy() : Tensor(zeros: mean.shape)
        if !options.selfRegularization {
            var generator = Philox(seed: seed, purpose: Purpose.start.rawValue, index: 0)
            for i in 0..<image.count { image.pointer[i] = 0.02 * generator.normal() }
        }
        return (frozen.states(ids, at: place + 1), image, mean)
    }

    /// One training step.
    package func advance() -> StepLosses {
        let index = UInt64(optimizer.step)
        let conceptLoss = conceptLoss(step: index)
        var total = conceptLoss
        var regularization: Float = 0
        if options.selfRegularization {
            let loss = CoARLoss.regularization(image.variable, mean: mean)
            regularization = loss.scalar
            total = total + options.regularizationWeight * loss
        }
        // Two backward passes, one after the other, keep one graph in memory at a time.
        total.backward()
        var sum = total.scalar
        var kept: (prior: Float, divergence: Float) = (0, 0)
        if let prior {
            var pick = Philox(seed: seed, purpose: Purpose.prior.rawValue, index: index)
            let losses = prior.losses(model, index: pick.below(prior.count))
            let weighted = options.priorWeight * losses.entropy + options.divergenceWeight * losses.divergence
            weighted.backward()
            sum += weighted.scalar
            kept = (losses.entropy.scalar, losses.divergence.scalar)
        }
        return StepLosses(
            total: sum, concept: conceptLoss.scalar, prior: kept.prior, divergence: kept.divergence,
            regularization: regularization,
            gradientNorm: optimizer.update())
    }

    /// Cross-entropy of randomly cropped references' tokens after the prompt with both contexts.
    private func conceptLoss(step: UInt64) -> Variable {
        var pick = Philox(seed: seed, purpose: Purpose.references.rawValue, index: step)
        var crop = Philox(seed: seed, purpose: Purpose.crops.rawValue, index: step)
        let seen = (0..<options.batch).map { _ in cuts(pick.below(concept.references.count), &crop).picture }.shaped
        let vocabulary = model.configuration.vocabulary
        let batch = ChameleonBatch(
            seen.map { ChameleonSequence(before: prompts[$0.grid]!.ids, picture: vocabulary.rows($0.codes, $0.grid)) })
        let contexts = contexts(before: seen.map(\.grid))
        return batch.loss(model.transformer.logits(batch.ids, batch: batch.count, contexts: contexts))
    }

    /// The vectors before pictures that stand side by side, in an order that does not change from run to run.
    private func contexts(before grids: [PictureGrid]) -> [LayerContext] {
        Dictionary(grouping: grids.indices, by: { grids[$0] }).sorted { $0.value[0] < $1.value[0] }
            .flatMap { grid, samples in prompts[grid]!.contexts.map { $0.repeated(in: samples) } }
    }

    // MARK: State

    /// Everything the next step reads: vectors, moments and the step number.
    package var state: OptimizerState { OptimizerState(optimizer) }

    /// Both vectors [N, C], by an adapter's names.
    package var learning: [String: Parameter] { [text.name: text, image.name: image] }

    /// The shapes of what such a run learns, by the same names, of a model that nothing was done with yet.
    package static func shapes(
        on model: ChameleonModel, of concept: Concept, _ options: CoAROptions
    ) -> [String: [Int]] {
        let c = model.configuration.transformer
        let shape = [options.layerCount(of: c.depth, role: concept.role), c.width]
        return [ContextVectors.textName: shape, ContextVectors.imageName: shape]
    }

    /// Continues from a state saved by a run of the same model, concept, options and seed.
    /// - Throws: `WeightsError` when the state belongs to other vectors.
    package func restore(_ state: OptimizerState) throws(WeightsError) { try state.restore(optimizer) }

    /// What was learned, as a file holds it.
    package func adapter(modelDigest: String) throws -> Adapter {
        Adapter(
            description: Adapter.Description(
                method: .coar, model: model.configuration.name, modelDigest: modelDigest, concept: concept.name,
                role: concept.role,
                className: concept.className, seed: seed, iterations: step,
                options: try Adapter.Description.text(of: options)),
            tensors: [text.name: text.value, image.name: image.value])
    }
}

/// Pictures the frozen model drew of the class, with its own logits on them.
private struct Prior {
    private let sequences: [ChameleonSequence]
    private let teachers: [Tensor]  // [asked, V] each
    private let context: LayerContext

    var count: Int { sequences.count }

    /// - Parameters:
    ///   - image: the image vectors, which stand alone in these sequences.
    ///   - seeds: one for each picture.
    init(model: ChameleonModel, prompt: String, image: Parameter, seeds: [UInt64]) {
        let before = model.ids(before: prompt)
        let configuration = model.configuration
        let drawn = PairLearner.batches(seeds).flatMap { some in
            model.generateCodes(
                [ChameleonPrompt(ids: before)], at: some.map { _ in 0 }, sampling: model.sampling(seeds: some))
        }
        context = LayerContext(image.variable, positions: [before.count])
        sequences = drawn.map {
            ChameleonSequence(before: before + [0], picture: configuration.vocabulary.rows($0, configuration.grid))
        }
        teachers = drawn.map { codes in
            CoARLoss.teacher(model, of: model.sequence(prompt, codes: codes))
        }
    }

    func losses(_ model: ChameleonModel, index: Int) -> (entropy: Variable, divergence: Variable) {
        let sequence = sequences[index]
        let logits = model.transformer.logits(sequence.ids, batch: 1, contexts: [context])
        let divergence = CoARLoss.divergence(logits, asked: sequence.asked, teacher: teachers[index])
        return (ChameleonBatch([sequence]).loss(logits), divergence)
    }
}
