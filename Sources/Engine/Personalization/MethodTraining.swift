import Backbones
import Jobs
import Layers
import Personalization
import Tensors

extension LoadedModel {
    /// Learning multiplies in bfloat16 where the processor can, as pretraining does, in less time. The training is
    /// prepared in there too, for what the frozen model says is compared with what the same model says later.
    package func whileLearning<Result>(_ body: () throws -> Result) rethrows -> Result {
        try MatrixPrecision.$current.withValue(.bfloat16, operation: body)
    }

    /// A concept's training by a method.
    /// - Parameter options: the job's own.
    /// - Throws: `JobFailure` where the method does not work on this model, and for options that cannot be used.
    package func training(
        of concept: Concept, by method: PersonalizationMethod, options: JSONValue?, seed: UInt64
    ) throws -> any ConceptTraining {
        let usual = description.training?[method.rawValue] ?? [:]
        switch (method, backbone) {
        case (.arbooth, .infinity(let model)):
            return try ARBoothTraining(
                model: model, subject: concept,
                options: ARBoothOptions(OptionValues(options, of: .arbooth, usual: usual)), seed: seed)
        case (.coar, .chameleon(let model)):
            return CoARTraining(
                model: model, concept: concept,
                options: CoAROptions(try OptionValues(options, of: .coar(concept.role), usual: usual)),
                seed: seed)
        case (.lora, _):
            let options = LoRAOptions(try OptionValues(options, of: .lora, usual: usual))
            return try LoRATraining(
                backbone: dreamBooth(of: concept, options: options, seed: seed), concept: concept, options: options,
                seed: seed)
        default: throw unfit(method)
        }
    }

    /// The shapes of what such a training learns, by the names an adapter has it under. Nothing is drawn for that, and
    /// the model stays as it is.
    /// - Throws: `JobFailure` as making the training does.
    func learntShapes(
        of concept: Concept, by method: PersonalizationMethod, options: JSONValue?
    ) throws -> [String: [Int]] {
        func values(_ table: OptionTable) throws -> OptionValues {
            try OptionValues(options, of: table, usual: description.training?[method.rawValue] ?? [:])
        }
        func lowRank(_ weights: Weights, _ modules: [String], reading text: [String]) throws -> [String: [Int]] {
            let options = LoRAOptions(try values(.lora))
            return LoRATraining.shapes(in: weights, changing: options.actsOn == .prompt ? text : modules, options)
        }
        switch (method, backbone) {
        case (.arbooth, .infinity(let model)):
            return ARBoothTraining.shapes(on: model, of: concept, ARBoothOptions(try values(.arbooth)))
        case (.coar, .chameleon(let model)):
            return CoARTraining.shapes(on: model, of: concept, CoAROptions(try values(.coar(concept.role))))
        case (.lora, .infinity(let model)):
            return try lowRank(model.transformerWeights, model.attentionModules, reading: model.textModules)
        case (.lora, .chameleon(let model)):
            return try lowRank(model.transformerWeights, model.attentionModules, reading: model.attentionModules)
        case (.lora, .llamagen(let model)):
            return try lowRank(model.transformerWeights, model.attentionModules, reading: model.attentionModules)
        case (.lora, .diffusion(let model)):
            return try lowRank(model.transformerWeights, model.attentionModules, reading: model.textModules)
        default: throw unfit(method)
        }
    }

    private func dreamBooth(of concept: Concept, options: LoRAOptions, seed: UInt64) -> DreamBooth {
        let pictures = options.drawsPrior ? options.priorPictures : 0
        switch backbone {
        case .infinity(let model): return .infinity(model, concept: concept, priorPictures: pictures, seed: seed)
        case .chameleon(let model): return .chameleon(model, concept: concept, priorPictures: pictures, seed: seed)
        case .llamagen(let model): return .llamagen(model, concept: concept, priorPictures: pictures, seed: seed)
        case .diffusion(let model): return .diffusion(model, concept: concept, priorPictures: pictures, seed: seed)
        }
    }

    /// The model as Proxy-Tuning teaches it, with words for concepts.
    package func pairLearner(of concepts: [Concept], seed: UInt64) -> PairLearner {
        let names = concepts.map(\.name)
        let nouns = Dictionary(uniqueKeysWithValues: concepts.map { ($0.name, $0.className) })
        return switch backbone {
        case .infinity(let model): .infinity(model, concepts: names, nouns: nouns, seed: seed)
        case .chameleon(let model): .chameleon(model, concepts: names, nouns: nouns, seed: seed)
        case .llamagen(let model): .llamagen(model, concepts: names, nouns: nouns, seed: seed)
        case .diffusion(let model): .diffusion(model, concepts: names, nouns: nouns, seed: seed)
        }
    }

    private func unfit(_ method: PersonalizationMethod) -> JobFailure {
        let problem = Problem(
            "/method", found: method.rawValue,
            allowed: PersonalizationMethod.fitting(description.family))
        return JobFailure(
            code: "input.method", consequence: .rejected, message: "\(name) does not learn by this method",
            problems: [problem])
    }
}
