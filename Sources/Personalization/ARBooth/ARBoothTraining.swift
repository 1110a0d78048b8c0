import Autograd
import Backbones
import Layers
import Randomness
import Tensors

/// One ARBooth run: a frozen Infinity model learns a subject from a few references (arXiv 2504.02612).
///
/// Everything random at step s depends on the seed and s alone, and a checkpoint holds every number the next step
/// reads, so a run resumed from a checkpoint ends with the same bytes as an undisturbed one.
package final class ARBoothTraining: ConceptTraining {
    /// The losses of one step.
    package struct StepLosses: TrainingLosses {
        /// With λ.
        package let total: Float
        /// The scale-weighted cross-entropy of the references' bits.
        package let subject: Float
        /// KL(frozen ‖ tuned) per bit on the prior's maps; 0 without distillation.
        package let distillation: Float
        /// Of all gradients, which are not clipped.
        package let gradientNorm: Float
        /// The same by their names, as loss curves have them.
        package var parts: KeyValuePairs<String, Float> { ["subject": subject, "distillation": distillation] }
    }

    private enum Purpose: UInt64 {
        case references = 1
        case crops, flips, prior, priorMaps
    }

    private let options: ARBoothOptions
    private let subject: Concept
    private let seed: UInt64
    private let model: InfinityModel
    private let placeholder: Parameter
    private let placeholderToken: Int32
    private let optimizer: AdamW
    private let cuts: EncodedCuts
    private let prior: Prior?
    private let subjectTokens: [Int32]
    /// What the frozen encoder makes of those; nil where the subject's word learns.
    private let subjectText: TextFeatures?
    /// The model's weights that learn, by name: their `squaresAsWeight` before the first step.
    private let squaresBefore: [String: Double]
    /// Steps taken so far.
    package var step: Int { optimizer.step }
    /// Steps in all.
    package var steps: Int { options.iterations }

    /// Prepares a run; the model's transformer is changed in place by `advance`.
    /// - Throws: `TextTokenizerError` when a prompt cannot be encoded.
    package init(model: InfinityModel, subject: Concept, options: ARBoothOptions, seed: UInt64) throws {
        self.model = model
        self.subject = subject
        self.options = options
        self.seed = seed
        cuts = EncodedCuts(
            of: subject.references, from: subject.origins,
            by: ReferenceAugmentation(size: model.configuration.pictureSize, largestZoom: options.largestZoom)
        ) { .map(model.features([$0])) }
        let tokenizer = model.textTokenizer.adding(placeholders: [subject.placeholder])
        placeholderToken = tokenizer.identifier(of: subject.placeholder)!
        subjectTokens = tokenizer.encode(subject.plainPrompt)
        placeholder = Parameter(name: Adapter.placeholderName, value: model.startOfPlaceholder(like: subject.className))
        prior =
            options.distillation
            ? ARBoothTraining.drawPrior(model: model, subject: subject, options: options, seed: seed) : nil
        model.freeze()
        model.transformerWeights.train { options.trains($0) }
        squaresBefore = Dictionary(
            uniqueKeysWithValues: model.transformerWeights.trainable.map { ($0.name, $0.value.squaresAsWeight) })
        placeholder.isTrainable = options.learnsPlaceholder
        subjectText =
            options.learnsPlaceholder
            ? nil : model.encoder([subjectTokens], replacing: [placeholderToken: placeholder.variable])
        optimizer = AdamW(
            model.transformerWeights.trainable + (options.learnsPlaceholder ? [placeholder] : []),
            AdamW.Options(
                learningRate: options.learningRate, beta1: options.beta1, beta2: options.beta2,
                weightDecay: options.weightDecay,
                largestNorm: nil),
            moments: options.moments ?? .single)
    }

    /// One training step.
    package func advance() -> StepLosses {
        let index = UInt64(optimizer.step)
        let maps = subjectMaps(step: index)
        let read = subjectText ?? model.encoder([subjectTokens], replacing: [placeholderToken: placeholder.variable])
        let text = read.repeated(options.batch)
        guard let prior else {
            let loss = ARBoothLoss.subject(logits(text, inputs: maps.inputs), maps: maps, options: options)
            loss.backward()
            return losses(subject: loss.scalar, distillation: 0)
        }
        // Both go through the model together: a block's gradients are complete when the way back has passed it once.
        let choice = chosen(from: prior, step: index)
        let both = logits(
            text.followed(by: prior.text.repeated(choice.count)), inputs: .joined([maps.inputs, choice.inputs]))
        let subject = ARBoothLoss.subject(both.samples(0..<options.batch), maps: maps, options: options)
        let distillation = ARBoothLoss.distillation(
            both.samples(options.batch..<options.batch + choice.count), teacher: choice.teacher)
        (subject + options.distillationWeight * distillation).backward()
        return losses(subject: subject.scalar, distillation: distillation.scalar)
    }

    /// Teacher-forced logits, on whose way back blocks that are computed once more are updated at once: the gradients
    /// of one are in memory at a time.
    private func logits(_ text: TextFeatures, inputs: Tensor) -> Variable {
        model.transformer.logits(text, inputs: inputs) { [optimizer] block in
            optimizer.update { $0.name.hasPrefix(block + ".") }
        }
    }

    /// Takes the step from the gradients that have arrived.
    private func losses(subject: Float, distillation: Float) -> StepLosses {
        StepLosses(
            total: subject + options.distillationWeight * distillation, subject: subject, distillation: distillation,
            gradientNorm: optimizer.update())
    }

    /// Token maps of randomly cropped references.
    private func subjectMaps(step: UInt64) -> TokenMaps {
        var pick = Philox(seed: seed, purpose: Purpose.references.rawValue, index: step)
        var crop = Philox(seed: seed, purpose: Purpose.crops.rawValue, index: step)
        let seen = (0..<options.batch).map { _ in cuts(pick.below(subject.references.count), &crop).picture }
        return model.maps(
            of: seen.maps,
            flips: BitFlips(
                maximumShare: options.largestFlipShare,
                generator: Philox(seed: seed, purpose: Purpose.flips.rawValue, index: step)))
    }

    // MARK: Prior

    /// Token maps the frozen model drew from the class prompt, with its own logits on them.
    private struct Prior {
        let text: TextFeatures  // the class prompt once
        let inputs: Tensor  // [N, L − 1, d]
        let teacher: Tensor  // [N, L, 2·d]
    }

    /// How many of the prior's maps are drawn together, where the model draws as many pictures.
    package static let mapsAtATime = 16

    private static func drawPrior(
        model: InfinityModel, subject: Concept, options: ARBoothOptions, seed: UInt64
    ) -> Prior {
        Recording.withoutGradients {
            let text = model.encode([subject.plainClassPrompt])
            var inputs: [Tensor] = []
            var teacher: [Tensor] = []
            let together = min(mapsAtATime, model.configuration.drawnTogether)
            for some in (0..<options.distillationMaps).parts(of: together) {
                let repeated = text.repeated(some.count)
                // The distributions of the model itself, not sharpened by guidance.
                let sampling = Sampling.plain(
                    scales: model.configuration.schedule.sides.count,
                    seeds: Philox.seeds(seed, purpose: Purpose.priorMaps.rawValue, some))
                let maps = model.transformer.generate(repeated, negative: nil, sampling: sampling)
                inputs.append(maps.inputs)
                teacher.append(model.transformer.logits(repeated, inputs: maps.inputs).value)
            }
            return Prior(text: text, inputs: .joined(inputs), teacher: .joined(teacher))
        }
    }

    private func chosen(from prior: Prior, step: UInt64) -> (count: Int, inputs: Tensor, teacher: Tensor) {
        var pick = Philox(seed: seed, purpose: Purpose.prior.rawValue, index: step)
        let indices = (0..<options.batch).map { _ in pick.below(prior.inputs.shape[0]) }
        return (
            indices.count, .joined(indices.map { prior.inputs.slice($0..<$0 + 1) }),
            .joined(indices.map { prior.teacher.slice($0..<$0 + 1) })
        )
    }

    // MARK: State

    /// Everything the next step reads: parameters, moments and the step number.
    package var state: OptimizerState { OptimizerState(optimizer) }

    /// By the transformer's own names; the placeholder's embedding, where that learns, as `Adapter.placeholderName`.
    package var learning: [String: Parameter] {
        Dictionary(uniqueKeysWithValues: optimizer.parameters.map { ($0.name, $0) })
    }

    /// The shapes of what such a run learns, by the same names, of a model that nothing was done with yet.
    package static func shapes(
        on model: InfinityModel, of subject: Concept, _ options: ARBoothOptions
    ) -> [String: [Int]] {
        let tuned = model.transformerWeights.parameters.filter { options.trains($0.name) }
        var shapes = Dictionary(uniqueKeysWithValues: tuned.map { ($0.name, $0.shape) })
        guard options.learnsPlaceholder else { return shapes }
        shapes[Adapter.placeholderName] = model.startOfPlaceholder(like: subject.className).shape
        return shapes
    }

    /// By how many times at most: the weights learn in place, and only their former sizes are known.
    package var excess: (module: String, ratio: Float)? {
        for parameter in optimizer.parameters {
            guard let squares = squaresBefore[parameter.name], let ratio = parameter.excess(beside: squares) else {
                continue
            }
            return (parameter.name, ratio)
        }
        return nil
    }

    /// Continues from a state saved by a run of the same model, subject, options and seed.
    /// - Throws: `WeightsError` when the state belongs to other weights.
    package func restore(_ state: OptimizerState) throws(WeightsError) { try state.restore(optimizer) }

    /// What was learned, as a file holds it.
    package func adapter(modelDigest: String) throws -> Adapter {
        var tensors: [String: Tensor] = [:]
        for parameter in optimizer.parameters { tensors[parameter.name] = parameter.value }
        return Adapter(
            description: Adapter.Description(
                method: .arbooth, model: model.configuration.name, modelDigest: modelDigest,
                concept: subject.name,
                role: .subject,
                className: subject.className, seed: seed, iterations: step,
                options: try Adapter.Description.text(of: options)),
            tensors: tensors)
    }
}
