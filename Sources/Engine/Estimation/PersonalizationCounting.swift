import Jobs
import Personalization

/// What learning takes: the evaluation before, what the frozen model draws, the steps, and what is drawn and measured
/// at the end.
extension JobCounting {
    func count(_ spec: PersonalizeSpec, on model: ModelSizes, _ sheet: inout CostSheet) {
        let usual = model.description.usualOptions(of: spec.method)
        guard let values = try? OptionValues(.object(spec.options), of: spec.table, usual: usual) else { return }
        let learning = Learning(spec, model, tokens: tokens(spec.model, prompts(of: spec)), references: references)
        sheet.load(model.weights)
        let quick = QuickEvaluationSizes(learning, spec.concept, of: spec, models, &sheet)
        quick?.before(&sheet)
        switch spec.method {
        case .arbooth: learning.arbooth(ARBoothOptions(values), &sheet)
        case .coar: learning.coar(CoAROptions(values), &sheet)
        case .lora: learning.lora(LoRAOptions(values), &sheet)
        case .proxyTuning: return
        }
        finish(spec, learning, steps: values["iterations"]?.integer ?? 0, &sheet)
        quick?.after(&sheet)
    }

    /// A supervisor learns and draws every concept, the student learns from all that was drawn.
    func count(_ spec: PersonalizeSpec, teaching student: ModelSizes, _ sheet: inout CostSheet) {
        // It draws pictures of the student's size.
        let supervisor = spec.supervisor.flatMap { models.model($0, size: student.size) }
        guard let options = try? spec.proxyTuning(of: student.description, by: supervisor?.description) else { return }
        let learning = Learning(spec, student, tokens: tokens(spec.model, prompts(of: spec)))
        sheet.load(student.weights)
        let measured = spec.concepts.compactMap { QuickEvaluationSizes(learning, $0, of: spec, models, &sheet) }
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
        finish(spec, learning, steps: options.student.iterations, &sheet)
        for quick in measured { quick.after(&sheet) }
    }

    /// Sample pictures, and those on the way.
    private func finish(_ spec: PersonalizeSpec, _ learning: Learning, steps: Int, _ sheet: inout CostSheet) {
        let samples = spec.prompts.isEmpty ? ProxySamples.count(of: spec.concepts.count) : spec.prompts.count
        learning.draw(samples, rounding: false, &sheet)
        if let every = spec.previewEvery {
            let count = max(0, (steps - 1) / every)
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
