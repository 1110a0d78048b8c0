import Backbones
import Evaluation
import Foundation
import Jobs
import Personalization

/// Counts what a job takes along the code of its worker.
struct JobCounting {
    let models: InstalledSizes
    /// Tokens of a prompt that a model reads.
    let tokens: (_ model: String, _ prompts: [String]) -> Int
    /// Of the job's reference pictures, as far as they are known.
    var references: [ModelDescription.Size] = []

    /// Memory, or disk, from which smaller forms of a job are looked for: what takes less fits everywhere.
    private static let much = 512 << 20

    /// The cost, with smaller forms of a job that takes much.
    func offer(of spec: JobSpec, with adapters: [String: InspectionOrder.Adapter]) -> JobCost? {
        guard var cost = cost(of: spec, with: adapters) else { return nil }
        if max(cost.memoryBytes, cost.diskBytes) > Self.much {
            cost.alternatives = smallerForms(of: spec.json, with: adapters, than: cost)
        }
        return cost
    }

    /// Nil of a job without an engine, or on models that are not here.
    /// - Parameter adapters: of the concepts that it mentions; nothing is counted of one that is not among them.
    func cost(of spec: JobSpec, with adapters: [String: InspectionOrder.Adapter] = [:]) -> JobCost? {
        guard let name = spec.model, let model = models.model(name, size: spec.size) else { return nil }
        return cost(of: spec, on: model, with: adapters)
    }

    /// Why nothing is counted of a job, for people; nil of one without an engine.
    func fault(of spec: JobSpec) -> String? { spec.model.flatMap { models.fault(of: $0, size: spec.size) } }

    /// The same on the job's model as it may be held otherwise.
    func cost(
        of spec: JobSpec, on model: ModelSizes, with adapters: [String: InspectionOrder.Adapter] = [:]
    ) -> JobCost? {
        var sheet = CostSheet()
        sheet.start()
        let weighed = adapters.mapValues { AdapterSizes($0, on: model.weights) }
        switch spec {
        case .personalize(let spec) where spec.method == .proxyTuning: count(spec, teaching: model, &sheet)
        case .personalize(let spec): count(spec, on: model, &sheet)
        case .generate(let spec): count(spec, on: model, weighed, &sheet)
        case .compose(let spec): count(spec.drawing, on: model, weighed, &sheet)
        case .evaluate(let spec): count(spec, on: model, weighed, &sheet)
        case .probe: return nil
        }
        return sheet.cost
    }

    private func count(
        _ spec: GenerateSpec, on model: ModelSizes, _ adapters: [String: AdapterSizes], _ sheet: inout CostSheet
    ) {
        let (pictures, read) = (spec.prompts.count * spec.perPrompt, tokens(spec.model, spec.prompts))
        sheet.load(model.weights)
        for adapter in adapters.values { sheet.load(adapter) }
        var drawing = model.drawing(spec.options)
        drawing.perPrompt = spec.perPrompt
        sheet.draw(pictures) { model.work.drawing($0, prompt: read, drawing) }
        let pixels = (spec.size ?? model.size).pixels
        sheet.write(pictures: pictures, of: pixels)
        sheet.write(sheetOf: pictures, of: pixels)
    }

    private func count(
        _ spec: EvaluateSpec, on model: ModelSizes, _ adapters: [String: AdapterSizes], _ sheet: inout CostSheet
    ) {
        let encoders = models.encoders(
            .init(
                model.description.encoders, clip: spec.options["clip"]?.string, dino: spec.options["dino"]?.string))
        let prompts =
            switch spec.prompts {
            case .suite(let name): PromptSuite(name).templates
            case .own(let prompts): prompts
            }
        let read = tokens(spec.model, prompts)
        let options = OptionTable.evaluation.completed(.object(spec.options))
        let (own, ofClass) = (prompts.count * spec.perPrompt, options["class_pictures"]?.integer ?? 0)
        let references = spec.images.isEmpty ? 4 : spec.images.count
        var drawing = model.drawing()
        drawing.perPrompt = spec.perPrompt
        encoders?.load(&sheet)
        for (index, concept) in spec.concepts.enumerated() {
            // Adapters change weights: each concept has a model of its own, in the memory of the last.
            if index == 0 { sheet.load(model.weights) } else { sheet.reload(model.weights) }
            if let adapter = adapters[concept] { sheet.load(adapter, alone: true) }
            encoders?.see(references, &sheet)
            for _ in 0..<(spec.seeds?.count ?? 1) {
                sheet.draw(own + ofClass) { model.work.drawing($0, prompt: read, drawing) }
                encoders?.score(own, each: spec.perPrompt, of: model.size, &sheet)
                encoders?.seeByDINO(ofClass, &sheet)
            }
            sheet.write(sheetOf: own + references, of: model.pixels)
        }
    }
}
