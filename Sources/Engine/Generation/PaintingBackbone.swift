import Backbones
import Images
import Jobs
import Personalization

/// A backbone that draws what jobs ask for: with concepts in use, by the options of a job.
package protocol PaintingBackbone: TunableBackbone {
    /// Has the concepts act on the model, and draws with them.
    /// - Throws: `AdapterError` for an adapter that cannot be used; `JobFailure` for options that do not fit the model.
    func painting(_ use: ConceptUse) throws -> Painting
}

/// What a model is to draw with.
package struct ConceptUse {
    let adapters: [String: Adapter]
    let modelDigest: String
    let options: OptionValues?
    let strengths: [String: Float]

    /// How low-rank changes act together.
    fileprivate var joining: AdapterJoining { options?["adapters"]?.string.flatMap(AdapterJoining.init) ?? .merged }
}

extension InfinityModel: PaintingBackbone {
    /// Guidance and temperature are one number, or one for each scale.
    package func painting(_ use: ConceptUse) throws -> Painting {
        let scales = configuration.schedule.sides.count
        let guidance = try use.options?.byScale("guidance", scales)
        let temperature = try use.options?.byScale("temperature", scales)
        let personalized = try PersonalizedModel(
            model: self, adapters: use.adapters, modelDigest: use.modelDigest, joining: use.joining,
            strengths: use.strengths)
        return { prompts, seeds in
            var sampling = personalized.sampling(seeds: seeds)
            sampling.guidance = guidance ?? sampling.guidance
            sampling.temperature = temperature ?? sampling.temperature
            sampling.isGreedy = use.options?["top_k"]?.integer == 1
            sampling.topP = use.options.number("top_p") ?? sampling.topP
            return personalized.generate(prompts, sampling: sampling)
        }
    }
}

extension ChameleonModel: PaintingBackbone {
    /// Concepts of one prompt are kept from reading each other unless the options say otherwise.
    package func painting(_ use: ConceptUse) throws -> Painting {
        let personalized = try PersonalizedChameleon(
            model: self, adapters: use.adapters, modelDigest: use.modelDigest, joining: use.joining,
            strengths: use.strengths)
        let cutsConcepts = use.options?["identity_mask"] != .bool(false)
        return { prompts, seeds in
            let sampling = use.options.applied(to: self.sampling(seeds: seeds))
            return personalized.generate(prompts, sampling: sampling, cutsConcepts: cutsConcepts)
        }
    }
}

extension LlamaGenModel: PaintingBackbone {
    /// Codes are chosen as the options say.
    package func painting(_ use: ConceptUse) throws -> Painting {
        let personalized = try PersonalizedLlamaGen(
            model: self, adapters: use.adapters, modelDigest: use.modelDigest, joining: use.joining,
            strengths: use.strengths)
        return { prompts, seeds in
            personalized.generate(prompts, sampling: use.options.applied(to: self.sampling(seeds: seeds)))
        }
    }
}

extension DiffusionModel: PaintingBackbone {}

extension DiffusionPipeline: PaintingBackbone {}

extension TunableDiffusion {
    /// Guidance leads away from the options' `negative_prompt`.
    package func painting(_ use: ConceptUse) throws -> Painting {
        let personalized = try PersonalizedDiffusion(
            model: self, adapters: use.adapters, modelDigest: use.modelDigest, joining: use.joining,
            strengths: use.strengths)
        return { prompts, seeds in
            let sampling = self.sampling(
                guidance: use.options.number("guidance"), steps: use.options?["steps"]?.integer, seeds: seeds)
            return personalized.generate(prompts, negative: use.options?["negative_prompt"]?.string, sampling: sampling)
        }
    }
}

extension OptionValues? {
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
