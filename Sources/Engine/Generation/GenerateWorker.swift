import Backbones
import Jobs
import Personalization
import Tensors

/// Pictures of prompts, with none, one or several concepts: those the prompts name, or a subject and a style that are
/// to be joined.
struct GenerateWorker {
    let spec: GenerateSpec
    /// The subject and the style, where they are to be joined.
    var joined: ComposeSpec?
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection

    func run() throws -> JSONValue {
        let options = try OptionValues(spec.options, of: loaded.drawing)
        let adapters = try order.adapters.mapValues { try Adapter(path: $0) }
        let prompts =
            try joined.map {
                spec.prompts.map(try Composition($0, adapters: adapters, wording: loaded.styleWording).prompt)
            } ?? spec.prompts
        try checkNames(in: prompts, adapters: adapters)
        try checkWords(in: prompts, adapters: adapters)
        try checkStrengths(adapters)
        try checkNegative(options)
        try loaded.check(
            prompts.enumerated().map { ("/prompts/\($0)", $1) }
                + (options["negative_prompt"]?.string.map { [("/options/negative_prompt", $0)] } ?? []),
            concepts: Array(adapters.keys), spelled: ConceptSpellings(adapters),
            rows: adapters.compactMapValues { $0.outputRows?.rows })
        let series = PictureSeries(
            prompts: prompts, perPrompt: spec.perPrompt,
            seed: UInt64(spec.seed ?? 0), size: spec.size,
            folder: order.workspace, connection: connection)
        let pictures = try series.generate(
            ConceptPainter(
                loaded, adapters: adapters, options: options, strengths: spec.strengths.mapValues { Float($0) }))
        try series.writeSheet(pictures)
        let warnings =
            adapters.sorted { $0.key < $1.key }.flatMap { $1.warnings(usedAs: String($0.prefix { $0 != "@" })) }
            + idleNegative + hardlyActing(adapters)
        var result: [String: JSONValue] = [
            "pictures": .integer(pictures.count),
            "size": .string(ModelDescription.Size(width: pictures[0].width, height: pictures[0].height).text),
            "metrics": .object([:]),
            "warnings": .array(warnings.map(JSONValue.string)),
        ]
        result["shape"] = otherShape.map { .string($0.text) }
        return .object(result)
    }

    /// What the pictures were drawn in; nil where that is their size.
    private var otherShape: ModelDescription.Size? {
        guard let size = spec.size, let shape = loaded.description.shape(of: size), shape != size else { return nil }
        return shape
    }

    /// What a prompt names must have come with the order; the model would read another name as a word it does not know.
    private func checkNames(in prompts: [String], adapters: [String: Adapter]) throws {
        let known = adapters.keys.sorted().map { "<\($0)>" }.joined(separator: ", ")
        let problems = ConceptMention.all(in: prompts).filter { adapters[$0.key] == nil }.map {
            Problem(
                $0.pointer, found: "<\($0.key)>", allowed: known.isEmpty ? "no concept: no adapter is given" : known)
        }
        guard problems.isEmpty else {
            throw JobFailure(
                code: "concept.unknown", consequence: .rejected,
                message: "\(counted(problems.count, "concept", "has", "have")) no adapter", problems: problems)
        }
    }

    /// Whoever accepted the job may not have known the model.
    private func checkNegative(_ options: OptionValues) throws {
        guard options["negative_prompt"]?.string != nil, let model = loaded.backbone as? any LatentDiffusion,
            model.isToldGuidance
        else { return }
        throw JobFailure.options([.toldGuidance(of: loaded.description.name)])
    }

    private var idleNegative: [String] {
        guard let model = loaded.backbone as? any LatentDiffusion else { return [] }
        return spec.idleNegativeWarnings(usual: Double(model.settings.guidance))
    }

    /// Context vectors stand in a prompt's place: there is no less of them.
    private func checkStrengths(_ adapters: [String: Adapter]) throws {
        let contexts = spec.strengths.keys.sorted().filter { adapters[$0]?.isContext ?? false }.map {
            Problem(
                "/strengths/" + Problem.escaped($0), found: "a strength of a concept learnt by coar",
                allowed: "none: its vectors act wholly; arbooth, lora and proxy-tuning have strengths")
        }
        let imported = spec.strengths.keys.sorted().filter { adapters[$0]?.outputRows != nil }.map {
            Problem(
                "/strengths/" + Problem.escaped($0), found: "a strength of an imported fine-tune of ARBooth's",
                allowed: "none: its rows stand wholly in the text's place")
        }
        let problems = contexts + imported + (isByToken ? [] : dividedStrengths(adapters))
        guard problems.isEmpty else {
            throw JobFailure(
                code: "input.strengths", consequence: .rejected,
                message: "\(counted(problems.count, "concept")) cannot be drawn with a strength", problems: problems)
        }
    }
}

extension GenerateWorker {
    private var isByToken: Bool { spec.options["adapters"]?.string == AdapterJoining.byToken.rawValue }

    /// Whether low-rank changes draw a concept by its own words alone: on Infinity, whose pictures read texts by
    /// cross-attention. On the others (LlamaGen, Chameleon, pocket-diffusion) the untouched model's subject came of it.
    private var actsByWords: Bool { loaded.description.family == .infinity }

    /// What is said of low-rank changes that are kept to their concepts' words where those are too little of them.
    private func hardlyActing(_ adapters: [String: Adapter]) -> [String] {
        guard isByToken, !actsByWords else { return [] }
        let learntInAll = adapters.filter { $1.isLoRA && !$1.actsOnWords }
        return learntInAll.keys.sorted().map {
            """
            /options/adapters: <\($0)> was learnt in all rows; by its own words alone it hardly acts on \
            \(loaded.description.family.rawValue) models: compare with merged
            """
        }
    }

    /// Subjects of separate jobs may go by one rare word: with one noun behind it, and their changes merged, one would
    /// be drawn for both.
    private func checkWords(in prompts: [String], adapters: [String: Adapter]) throws {
        guard !isByToken else { return }
        let problems = try prompts.enumerated().flatMap { index, prompt in
            try alike(in: prompt, adapters).map { name, other in
                Problem(
                    "/prompts/\(index)", found: "<\(name)> and <\(other)>, which the model reads as one word",
                    allowed: distinction(of: [name, other], adapters)
                        + (actsByWords
                            ? #"; with "adapters": "by-token" among the options each keeps to its own words"# : ""))
            }
        }
        guard problems.isEmpty else {
            throw JobFailure(
                code: "input.prompt", consequence: .rejected,
                message: "prompts name subjects that the model does not tell apart", problems: problems)
        }
    }

    /// What a prompt would tell two subjects apart by: the nouns that they were learnt with, where those differ.
    private func distinction(of names: [String], _ adapters: [String: Adapter]) -> String {
        let nouns = names.map { adapters[$0]?.known(as: $0).className ?? "" }
        guard nouns[0] != nouns[1] else { return "one of them" }
        let said = zip(names, nouns).map { name, noun in noun.isEmpty ? "<\(name)>" : "<\(name)> \(noun)" }
        return "each with the noun it was learnt with right behind it, \(said.joined(separator: " and "))"
    }

    /// The pairs of subjects that a prompt says alike.
    private func alike(in prompt: String, _ adapters: [String: Adapter]) throws -> [(name: String, other: String)] {
        let subjects = ConceptMention.names(in: prompt).filter { adapters[$0]?.description.role == .subject }
        return try subjects.enumerated().flatMap { index, name in
            try subjects[(index + 1)...].filter { other in
                guard let one = adapters[name], let two = adapters[other],
                    one.noun(of: name, in: prompt) == two.noun(of: other, in: prompt)
                else { return false }
                // Each keeps to its own words.
                if one.actsOnWords && two.actsOnWords { return false }
                return try one.sharesWord(name, with: two, other) && !one.isSame(as: two)
            }.map { (name: name, other: $0) }
        }
    }

    /// Concepts that one adapter knows have its weights together: they act as strongly.
    private func dividedStrengths(_ adapters: [String: Adapter]) -> [Problem] {
        func strength(_ name: String) -> Double { spec.strengths[name] ?? 1 }
        return spec.strengths.keys.sorted().compactMap { name in
            guard let adapter = adapters[name], !adapter.actsOnWords,
                let other = adapters.keys.sorted().first(where: {
                    $0 != name && adapters[$0]!.isSame(as: adapter) && strength($0) != strength(name)
                })
            else { return nil }
            return Problem(
                "/strengths/" + Problem.escaped(name), found: "\(strength(name)), and \(strength(other)) of \(other)",
                allowed: "one strength for both: they are learnt into the same weights"
                    + (actsByWords ? #"; or "adapters": "by-token""# : ""))
        }
    }
}

extension GenerateSpec {
    /// What guidance is to lead away from does nothing where there is no guidance.
    /// - Parameter usual: the guidance of the model, a diffusion model; nil where nobody knows it.
    func idleNegativeWarnings(usual: Double?) -> [String] {
        guard options["negative_prompt"]?.string != nil, let guidance = options["guidance"]?.double ?? usual,
            guidance <= 1
        else { return [] }
        return [
            "/options/negative_prompt: nothing is led away from at a guidance of \(guidance); ask for one above 1"
        ]
    }
}

extension Adapter {
    /// Whether it is made of context vectors.
    fileprivate var isContext: Bool { description.method == .coar }

    /// A concept's class noun where a prompt says it right behind the name; nothing elsewhere.
    fileprivate func noun(of name: String, in prompt: String) -> String {
        let noun = known(as: name).className
        return prompt.contains("<\(name)> \(noun)") ? noun : ""
    }
}
