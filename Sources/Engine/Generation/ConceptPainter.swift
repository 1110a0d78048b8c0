import Backbones
import Images
import Jobs
import Personalization
import Tensors

/// A loaded model with concepts in use: prompts may name them.
package struct ConceptPainter {
    /// One picture for each prompt and seed; with weights that are held in bfloat16 or in less, products are as exact.
    package let paint: Painting

    /// - Parameters:
    ///   - options: of the model's `drawing`; what they do not say, the model does.
    ///   - strengths: how much of what was learnt acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter that cannot be used; `JobFailure` for options that do not fit the model.
    package init(
        _ loaded: LoadedModel, adapters: [String: Adapter], options: OptionValues? = nil,
        strengths: [String: Float] = [:]
    ) throws {
        let use = ConceptUse(adapters: adapters, modelDigest: loaded.digest, options: options, strengths: strengths)
        let painting =
            switch loaded.backbone {
            case .infinity(let model): try use.painting(by: model)
            case .chameleon(let model): try use.painting(by: model)
            case .llamagen(let model): try use.painting(by: model)
            case .diffusion(let model): try use.painting(by: model)
            }
        paint =
            loaded.holdsHalves
            ? { prompts, seeds in MatrixPrecision.$current.withValue(.bfloat16) { painting(prompts, seeds) } }
            : painting
    }
}

/// What a model is to draw with.
private struct ConceptUse {
    let adapters: [String: Adapter]
    let modelDigest: String
    let options: OptionValues?
    let strengths: [String: Float]

    func painting(by model: InfinityModel) throws -> Painting {
        let scales = model.configuration.schedule.sides.count
        let guidance = try options?.byScale("guidance", scales)
        let temperature = try options?.byScale("temperature", scales)
        let personalized = try PersonalizedModel(
            model: model, adapters: adapters, modelDigest: modelDigest, joining: options.joining, strengths: strengths)
        return { prompts, seeds in
            var sampling = personalized.sampling(seeds: seeds)
            sampling.guidance = guidance ?? sampling.guidance
            sampling.temperature = temperature ?? sampling.temperature
            sampling.isGreedy = options?["top_k"]?.integer == 1
            sampling.topP = options.number("top_p") ?? sampling.topP
            return personalized.generate(prompts, sampling: sampling)
        }
    }

    func painting(by model: ChameleonModel) throws -> Painting {
        let personalized = try PersonalizedChameleon(
            model: model, adapters: adapters, modelDigest: modelDigest, joining: options.joining, strengths: strengths)
        let cutsConcepts = options?["identity_mask"] != .bool(false)
        return { prompts, seeds in
            let sampling = options.applied(to: model.sampling(seeds: seeds))
            return personalized.generate(prompts, sampling: sampling, cutsConcepts: cutsConcepts)
        }
    }

    func painting(by model: LlamaGenModel) throws -> Painting {
        let personalized = try PersonalizedLlamaGen(
            model: model, adapters: adapters, modelDigest: modelDigest, joining: options.joining, strengths: strengths)
        return { prompts, seeds in
            personalized.generate(prompts, sampling: options.applied(to: model.sampling(seeds: seeds)))
        }
    }

    func painting(by model: any LatentDiffusion) throws -> Painting {
        let personalized = try PersonalizedDiffusion(
            model: model, adapters: adapters, modelDigest: modelDigest, joining: options.joining, strengths: strengths)
        return { prompts, seeds in
            let sampling = model.sampling(
                guidance: options.number("guidance"), steps: options?["steps"]?.integer, seeds: seeds)
            return personalized.generate(prompts, negative: options?["negative_prompt"]?.string, sampling: sampling)
        }
    }
}

extension LoadedModel {
    /// What can be said about drawing with it.
    package var drawing: OptionTable { description.family.drawing ?? .none }
}

extension OptionValues? {
    /// How low-rank changes act together.
    fileprivate var joining: AdapterJoining { self?["adapters"]?.string.flatMap(AdapterJoining.init) ?? .merged }

    /// How codes are chosen: as they say, and else as the model's own sampling does.
    fileprivate func applied(to own: CodeSampling) -> CodeSampling {
        var sampling = own
        sampling.guidance = number("guidance") ?? own.guidance
        sampling.temperature = number("temperature") ?? own.temperature
        sampling.topK = self?["top_k"]?.integer ?? own.topK
        sampling.topP = number("top_p") ?? own.topP
        return sampling
    }

    /// A number; nil where the model's own holds.
    fileprivate func number(_ name: String) -> Float? { self?[name]?.double.map { Float($0) } }
}

extension OptionValues {
    /// An option's numbers, one for each scale of the model; nil where the model's own hold.
    fileprivate func byScale(_ name: String, _ scales: Int) throws -> [Float]? {
        guard let value = self[name] else { return nil }
        if let number = value.double { return Array(repeating: Float(number), count: scales) }
        let numbers = (value.array ?? []).compactMap(\.double).map(Float.init)
        guard numbers.count == scales else {
            let problem = Problem(
                "/options/\(name)", found: "a list of \(counted(numbers.count, "number"))",
                allowed: "one number, or \(scales), one for each scale")
            throw JobFailure.options([problem])
        }
        return numbers
    }
}
