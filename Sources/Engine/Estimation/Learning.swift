import Backbones
import Jobs
import Layers
import Personalization

/// One network that learns.
struct Learning {
    let model: ModelSizes
    /// Reference pictures of a concept that is learnt alone.
    private let references: Int
    /// Of a prompt.
    let tokens: Int
    /// The model on what it learns from: of the shapes that its references keep to the longest counts, of all where
    /// not every reference is known.
    private let learner: any BackboneWork

    init(_ spec: PersonalizeSpec, _ model: ModelSizes, tokens: Int, references: [ModelDescription.Size] = []) {
        (self.model, self.tokens, self.references) = (model, tokens, spec.images.count)
        let all = model.description.referenceShapes(of: spec.method)
        let shapes = references.count == spec.images.count ? references.compactMap { $0.nearest(of: all) } : all
        if let chameleon = model.work as? ChameleonModel.Configuration {
            learner = chameleon.longest(of: shapes.map { (height: $0.height, width: $0.width) })
        } else {
            learner = model.work
        }
    }

    /// Bytes of both moments of a number, as AdamW keeps them.
    private func momentBytes(_ precision: AdamW.Precision?) -> Double {
        precision == .eightBit ? 2 * EightBitMoment.bytes : 8
    }

    /// A batch as the model draws by itself.
    /// - Parameter each: pictures of every prompt.
    func drawing(_ pictures: Int, each: Int = 1, isGuided: Bool? = nil) -> Work {
        var sampling = model.drawing()
        sampling.perPrompt = each
        sampling.isGuided = isGuided ?? sampling.isGuided
        return model.work.drawing(pictures, prompt: tokens, sampling)
    }

    func draw(_ pictures: Int, each: Int = 1, rounding: Bool = true, _ sheet: inout CostSheet) {
        sheet.draw(pictures) {
            let drawn = drawing($0, each: each)
            return rounding ? drawn.rounded : drawn
        }
    }

    private func pass(_ pictures: Int, rank: Int = 0) -> Work {
        learner.pass(pictures, prompt: tokens, rank: rank)
    }

    private func encode(_ pictures: Int, times: Int, _ sheet: inout CostSheet) {
        sheet.compute(learner.encoding(pictures).rounded, times: Double(times))
    }

    /// References that every step cuts anew: every cut once, as far as they are kept.
    /// - Parameter seen: how often one is drawn.
    /// - Returns: the bytes of those that are kept.
    private func encode(cutsOf references: Int, zoom: Float, seen: Int, _ sheet: inout CostSheet) -> Double {
        guard references > 0 else { return 0 }
        let size = min(model.size.width, model.size.height)
        let cuts = references * ReferenceAugmentation(size: size, largestZoom: zoom).cuts
        let bytes = 4 * max(model.work.encodedNumbers, 1)
        let kept = min(cuts, EncodedCuts.mostBytes / bytes)
        encode(1, times: min(seen, kept + seen * (cuts - kept) / cuts), &sheet)
        return Double(kept * bytes)
    }

    /// Those of a concept that is learnt alone.
    private func encodeReferences(_ options: some TrainingOptions, _ sheet: inout CostSheet) -> Double {
        encode(
            cutsOf: references, zoom: options.largestZoom, seen: options.batch * options.iterations, &sheet)
    }

    private func read(_ prompts: Int, times: Int, _ sheet: inout CostSheet) {
        sheet.compute(model.work.reading(prompts, tokens: tokens).rounded, times: Double(times))
    }

    /// Maps of the frozen model with its own logits, then steps on references and on those.
    func arbooth(_ options: ARBoothOptions, _ sheet: inout CostSheet) {
        let maps = options.distillation ? options.distillationMaps : 0
        sheet.draw(maps, in: min(ARBoothTraining.mapsAtATime, model.work.drawnTogether)) {
            (drawing($0, each: maps, isGuided: false) + pass($0)).rounded
        }
        let cuts = encodeReferences(options, &sheet)
        var step = pass(maps > 0 ? 2 * options.batch : options.batch)
        if options.learnsPlaceholder {
            step += model.work.reading(1, tokens: tokens)
        } else {
            read(1, times: 1, &sheet)
        }
        var numbers = tuned(options)
        // The maps themselves are half as many numbers as the logits on them.
        numbers.taughtBytes = 6 * Double(maps * model.work.answers) + cuts
        // Blocks that are computed once more are updated one by one.
        if step.isRepeated { numbers.gradientShare = 1 / Double(model.work.blocks) }
        sheet.learn([step], numbers, steps: options.iterations)
    }

    /// The weights that ARBooth lets learn.
    private func tuned(_ options: ARBoothOptions) -> LearningNumbers {
        let isFull = options.tuning == .full
        var numbers = LearningNumbers()
        numbers.share = isFull ? 1 : model.work.tunedShare
        numbers.count = isFull ? model.weights.numbers : model.work.tunedNumbers
        numbers.momentBytes = momentBytes(options.moments)
        numbers.widenedBytes = model.weights.held.widening * numbers.count
        numbers.areWeights = true
        return numbers
    }

    /// Context vectors before frozen layers.
    func coar(_ options: CoAROptions, _ sheet: inout CostSheet) {
        let pictures = options.priorPreservation ? options.priorPictures : 0
        encode(references, times: 1, &sheet)
        // What the text vectors start at is read of a prompt alone: next to nothing.
        sheet.compute(pass(1).rounded, times: Double(references))
        draw(pictures, each: pictures, &sheet)
        sheet.compute(pass(1).rounded, times: Double(pictures))
        let cuts = encodeReferences(options, &sheet)
        let passes = pictures > 0 ? [pass(options.batch), pass(1)] : [pass(options.batch)]
        let numbers = LearningNumbers(taughtBytes: 4 * Double(pictures * model.work.answers) + cuts)
        sheet.learn(passes, numbers, steps: options.iterations)
    }

    /// Low-rank changes of the attention.
    func lora(_ options: LoRAOptions, _ sheet: inout CostSheet) {
        let keepsPrior = options.drawsPrior
        // A concept's prompt, and its class's, are read once.
        read(1, times: keepsPrior ? 2 : 1, &sheet)
        if keepsPrior { drawPrior(options.priorPictures, &sheet) }
        var numbers = lowRank(options.rank, options.moments)
        numbers.taughtBytes = encodeReferences(options, &sheet)
        let step = pass(options.batch, rank: options.rank)
        sheet.learn(keepsPrior ? [step, step] : [step], numbers, steps: options.iterations)
    }

    /// A diffusion model's a few at a time, with its usual guidance; the others' at the model's own distribution: scale
    /// by scale one by one, token by token a few at a time.
    private func drawPrior(_ pictures: Int, _ sheet: inout CostSheet) {
        switch model.description.family {
        case .infinity: sheet.compute(drawing(1, isGuided: false).rounded, times: Double(pictures))
        case .diffusion: draw(pictures, each: pictures, &sheet)
        default: sheet.draw(pictures) { drawing($0, each: pictures, isGuided: false).rounded }
        }
    }

    /// A stage of Proxy-Tuning: texts are read once, as many as are kept, and so are pictures encoded that stay as they
    /// are.
    /// - Parameters:
    ///   - pictures: those that stay.
    ///   - references: those beside them that every step cuts anew, as a supervisor has beside its class.
    func pairs(
        _ options: PairTraining.Options, texts: Int, pictures: Int, references: Int, _ sheet: inout CostSheet
    ) {
        let step = pass(options.batch, rank: options.rank)
        let seen = options.batch * options.iterations
        let kept = min(texts, PairTraining.mostKeptTexts)
        read(1, times: kept + seen * (texts - kept) / texts, &sheet)
        encode(1, times: min(pictures, seen), &sheet)
        let cuts = encode(cutsOf: references, zoom: options.largestZoom, seen: seen, &sheet)
        let passes = references > 0 && pictures > 0 ? 2 : 1
        var numbers = lowRank(options.rank, options.moments)
        if options.rule == .prodigy { numbers.momentBytes = Prodigy.keptBytes }
        // Pictures of the class, until the supervisor has learnt.
        if references > 0 { numbers.taughtBytes = CostSheet.bytes(ofHeld: pictures, of: model.pixels) + cuts }
        sheet.learn(Array(repeating: step, count: passes), numbers, steps: options.iterations)
    }

    private func lowRank(_ rank: Int, _ moments: AdamW.Precision) -> LearningNumbers {
        LearningNumbers(count: rank * model.work.lowRankNumbers, momentBytes: momentBytes(moments))
    }
}
