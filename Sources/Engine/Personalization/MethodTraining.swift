import Backbones
import Jobs
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
        let usual = description.usualOptions(of: method)
        switch (method, backbone) {
        case (.arbooth, let model as InfinityModel):
            return try ARBoothTraining(
                model: model, subject: concept,
                options: ARBoothOptions(OptionValues(options, of: .arbooth, usual: usual)), seed: seed)
        case (.coar, let model as ChameleonModel):
            return CoARTraining(
                model: model, concept: concept,
                options: CoAROptions(try OptionValues(options, of: .coar(concept.role), usual: usual)),
                seed: seed)
        case (.lora, _):
            let options = LoRAOptions(try OptionValues(options, of: .lora, usual: usual))
            let booth = backbone.dreamBooth(
                of: concept, priorPictures: options.drawsPrior ? options.priorPictures : 0, seed: seed)
            return try LoRATraining(booth, concept: concept, options: options, seed: seed)
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
            try OptionValues(options, of: table, usual: description.usualOptions(of: method))
        }
        switch (method, backbone) {
        case (.arbooth, let model as InfinityModel):
            return ARBoothTraining.shapes(on: model, of: concept, ARBoothOptions(try values(.arbooth)))
        case (.coar, let model as ChameleonModel):
            return CoARTraining.shapes(on: model, of: concept, CoAROptions(try values(.coar(concept.role))))
        case (.lora, _): return try LoRATraining.shapes(on: backbone, LoRAOptions(try values(.lora)))
        default: throw unfit(method)
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
