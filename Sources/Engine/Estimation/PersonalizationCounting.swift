import Backbones
import Evaluation
import Foundation
import Jobs
import Layers
import Personalization

/// What learning takes: the evaluation before, what the frozen model draws, the steps, and what is drawn and measured
/// at the end.
extension JobCounting {
    func count(_ spec: PersonalizeSpec, on model: ModelSizes, _ sheet: inout CostSheet) {
        let learning = Learning(spec, model, tokens: tokens(spec.model, prompts(of: spec)), references: references)
        sheet.load(model.weights)
        let quick = QuickEvaluationSizes(learning, spec.concept, models, &sheet)
        quick?.before(&sheet)
        switch spec.method {
        case .arbooth: learning.arbooth(&sheet)
        case .coar: learning.coar(&sheet)
        case .lora: learning.lora(&sheet)
        case .proxyTuning: return
        }
        finish(spec, learning, &sheet)
        quick?.after(&sheet)
    }

    /// A supervisor learns and draws every concept, the student learns from all that was drawn.
    func count(_ spec: PersonalizeSpec, teaching student: ModelSizes, _ sheet: inout CostSheet) {
        // It draws pictures of the student's size.
        let supervisor = spec.supervisor.flatMap { models.model($0, size: student.size) }
        guard let options = try? spec.proxyTuning(of: student.description, by: supervisor?.description) else { return }
        let learning = Learning(spec, student, tokens: tokens(spec.model, prompts(of: spec)))
        sheet.load(student.weights)
        let measured = spec.concepts.compactMap { QuickEvaluationSizes(learning, $0, models, &sheet) }
        for quick in measured { quick.before(&sheet) }
        if let supervisor {
            sheet.load(supervisor.weights)
            let teaching = Learning(
                spec, supervisor, tokens: tokens(supervisor.description.name, prompts(of: spec)))
            for concept in spec.concepts where spec.proxies(of: concept) == nil {
                teaching.draw(options.priorPictures, each: options.priorPictures, &sheet)
                teaching.pairs(
                    options.supervisor, texts: options.priorPictures > 0 ? 2 : 1, pictures: options.priorPictures,
                    references: spec.places(of: concept).count, &sheet)
                teaching.draw(options.drawn, &sheet)
                sheet.write(pictures: options.proxies, of: supervisor.pixels)
                sheet.write(sheetOf: min(options.proxies, ProxyTuningWorker.mostOnSheet), of: supervisor.pixels)
            }
        }
        let count = spec.concepts.count
        sheet.hold(pictures: count * options.drawn, of: student.pixels)
        learning.pairs(
            options.student, texts: count * (1 + options.contexts.count), pictures: count * options.proxies,
            references: 0, &sheet)
        finish(spec, learning, &sheet)
        for quick in measured { quick.after(&sheet) }
    }

    /// Sample pictures, and those on the way.
    private func finish(_ spec: PersonalizeSpec, _ learning: Learning, _ sheet: inout CostSheet) {
        let samples = spec.prompts.isEmpty ? ProxySamples.count(of: spec.concepts.count) : spec.prompts.count
        learning.draw(samples, rounding: false, &sheet)
        if let every = spec.previewEvery {
            let count = max(0, (learning.iterations - 1) / every)
            sheet.compute(learning.drawing(1).rounded, times: Double(count))
            sheet.write(pictures: count, of: learning.model.pixels)
        }
        sheet.write(pictures: samples, of: learning.model.pixels)
        sheet.write(sheetOf: samples + spec.images.count, of: learning.model.pixels)
    }

    private func prompts(of spec: PersonalizeSpec) -> [String] {
        let noun = spec.concept.className ?? "picture"
        return spec.prompts.isEmpty ? ["a photo of a <\(spec.concept.name)> \(noun) on the beach"] : spec.prompts
    }
}

/// One network that learns.
struct Learning {
    let spec: PersonalizeSpec
    let model: ModelSizes
    /// Of a prompt.
    let tokens: Int
    /// The model on what it learns from: of the shapes that its references keep to the longest counts, of all where
    /// not every reference is known.
    private let learner: any BackboneWork

    init(_ spec: PersonalizeSpec, _ model: ModelSizes, tokens: Int, references: [ModelDescription.Size] = []) {
        (self.spec, self.model, self.tokens) = (spec, model, tokens)
        let all = model.description.referenceShapes(of: spec.method)
        let shapes = references.count == spec.images.count ? references.compactMap { $0.nearest(of: all) } : all
        if let chameleon = model.work as? ChameleonModel.Configuration {
            learner = chameleon.longest(of: shapes.map { (height: $0.height, width: $0.width) })
        } else {
            learner = model.work
        }
    }

    private var table: [String: JSONValue] {
        spec.table.completed(
            .object(spec.options), usual: model.description.training?[spec.method.rawValue] ?? [:])
    }
    var iterations: Int { table["iterations"]?.integer ?? 0 }
    private var batch: Int { table["batch"]?.integer ?? 1 }

    /// Both moments of a number, as AdamW keeps them.
    private var momentBytes: Double { table["moments"] == "8-bit" ? 2 * EightBitMoment.bytes : 8 }

    private func isOn(_ name: String) -> Bool { table[name] == .bool(true) }
    private func number(_ name: String) -> Int { table[name]?.integer ?? 0 }

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
    private func encodeReferences(_ sheet: inout CostSheet) -> Double {
        encode(
            cutsOf: spec.images.count, zoom: Float(table["largest_zoom"]?.double ?? 1), seen: batch * iterations,
            &sheet)
    }

    private func read(_ prompts: Int, times: Int, _ sheet: inout CostSheet) {
        sheet.compute(model.work.reading(prompts, tokens: tokens).rounded, times: Double(times))
    }

    /// Maps of the frozen model with its own logits, then steps on references and on those.
    func arbooth(_ sheet: inout CostSheet) {
        let maps = isOn("distillation") ? number("distillation_maps") : 0
        sheet.draw(maps, in: min(ARBoothTraining.mapsAtATime, model.work.drawnTogether)) {
            (drawing($0, each: maps, isGuided: false) + pass($0)).rounded
        }
        let cuts = encodeReferences(&sheet)
        var step = pass(maps > 0 ? 2 * batch : batch)
        if isOn("learns_placeholder") {
            step += model.work.reading(1, tokens: tokens)
        } else {
            read(1, times: 1, &sheet)
        }
        var numbers = tuned
        // The maps themselves are half as many numbers as the logits on them.
        numbers.taughtBytes = 6 * Double(maps * model.work.answers) + cuts
        // Blocks that are computed once more are updated one by one.
        if step.isRepeated { numbers.gradientShare = 1 / Double(model.work.blocks) }
        sheet.learn([step], numbers, steps: iterations)
    }

    /// The weights that ARBooth lets learn.
    private var tuned: LearningNumbers {
        let isFull = table["tuning"] == "full"
        var numbers = LearningNumbers()
        numbers.share = isFull ? 1 : model.work.tunedShare
        numbers.count = isFull ? model.weights.numbers : model.work.tunedNumbers
        numbers.momentBytes = momentBytes
        numbers.widenedBytes = model.weights.held.widening * numbers.count
        numbers.areWeights = true
        return numbers
    }

    /// Context vectors before frozen layers.
    func coar(_ sheet: inout CostSheet) {
        let pictures = isOn("prior_preservation") ? number("prior_pictures") : 0
        encode(spec.images.count, times: 1, &sheet)
        // What the text vectors start at is read of a prompt alone: next to nothing.
        sheet.compute(pass(1).rounded, times: Double(spec.images.count))
        draw(pictures, each: pictures, &sheet)
        sheet.compute(pass(1).rounded, times: Double(pictures))
        let cuts = encodeReferences(&sheet)
        let passes = pictures > 0 ? [pass(batch), pass(1)] : [pass(batch)]
        let numbers = LearningNumbers(taughtBytes: 4 * Double(pictures * model.work.answers) + cuts)
        sheet.learn(passes, numbers, steps: iterations)
    }

    /// Low-rank changes of the attention.
    func lora(_ sheet: inout CostSheet) {
        let (keepsPrior, rank) = (isOn("prior_preservation") && table["acts_on"] != "prompt", number("rank"))
        // A concept's prompt, and its class's, are read once.
        read(1, times: keepsPrior ? 2 : 1, &sheet)
        if keepsPrior { drawPrior(number("prior_pictures"), &sheet) }
        var numbers = lowRank(rank)
        numbers.taughtBytes = encodeReferences(&sheet)
        let step = pass(batch, rank: rank)
        sheet.learn(keepsPrior ? [step, step] : [step], numbers, steps: iterations)
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
        var numbers = lowRank(options.rank)
        if options.rule == .prodigy { numbers.momentBytes = Prodigy.keptBytes }
        // Pictures of the class, until the supervisor has learnt.
        if references > 0 { numbers.taughtBytes = CostSheet.bytes(ofHeld: pictures, of: model.pixels) + cuts }
        sheet.learn(Array(repeating: step, count: passes), numbers, steps: options.iterations)
    }

    private func lowRank(_ rank: Int) -> LearningNumbers {
        LearningNumbers(count: rank * model.work.lowRankNumbers, momentBytes: momentBytes)
    }
}

/// The small evaluation before and after a concept is learnt.
struct QuickEvaluationSizes {
    private let learning: Learning
    private let encoders: EncoderSizes
    private let isSubject: Bool
    private let references: Int

    /// Nil where the encoders are not here, or nothing is evaluated.
    init?(_ learning: Learning, _ concept: ConceptSpec, _ models: InstalledSizes, _ sheet: inout CostSheet) {
        guard !learning.spec.places(of: concept).isEmpty,
            let encoders = models.encoders(.init(learning.model.description.encoders))
        else { return nil }
        (self.learning, self.encoders) = (learning, encoders)
        (isSubject, references) = (concept.role == .subject, learning.spec.places(of: concept).count)
        encoders.load(&sheet)
    }

    private var own: Int { QuickEvaluation.suite.templates.count * QuickEvaluation.perPrompt }

    /// The prompts without the concept, and a subject's class.
    func before(_ sheet: inout CostSheet) {
        encoders.see(references, &sheet)
        measure(&sheet)
    }

    func after(_ sheet: inout CostSheet) {
        measure(&sheet)
        // PRES is among the scores then.
        if isSubject { encoders.seeByDINO(QuickEvaluation.classPictures, &sheet) }
    }

    private func measure(_ sheet: inout CostSheet) {
        let (size, ofClass) = (learning.model.size, QuickEvaluation.classPictures)
        learning.draw(own, each: QuickEvaluation.perPrompt, rounding: false, &sheet)
        encoders.score(own, each: QuickEvaluation.perPrompt, of: size, &sheet)
        guard isSubject else { return }
        // Its prompt has two wordings, which take turns.
        learning.draw(ofClass, each: PictureSeries.batch / 2, rounding: false, &sheet)
        encoders.seeByDINO(ofClass, &sheet)
        encoders.compare(ofClass, each: ofClass / 2, of: size, &sheet)
    }
}
