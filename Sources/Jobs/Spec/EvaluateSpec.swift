/// Measure concepts over prompts, against the pictures they were learnt from or others.
package struct EvaluateSpec: Sendable, Equatable {
    /// What the concepts are asked for.
    package enum Prompts: Sendable, Equatable {
        /// One of those that come with Atelier.
        case suite(SuiteName)
        /// The job's own, 1 to 64.
        case own([String])
    }

    /// What the concepts were learnt on, by its name.
    package var model: String
    /// The names, 1 to 16, each with `@` and a version where an older one is meant.
    package var concepts: [String]
    /// A suite, or the job's own.
    package var prompts: Prompts
    /// 1 to 16.
    package var imagesPerPrompt: Int?
    /// At most one of the two is given.
    package var seed: Int?, seeds: [Int]?
    /// What a single concept is held against instead of what it was learnt from.
    package var images: [ImageSource]
    /// As they were given, of `OptionTable.evaluation`.
    package var options: [String: JSONValue]

    /// Pictures of every prompt and seed, four unless another number is asked for.
    package var perPrompt: Int { imagesPerPrompt ?? 4 }
}

/// The suites of prompts that come with Atelier.
package enum SuiteName: String, Sendable, CaseIterable {
    case dreamBenchObject = "dreambench-object"
    case dreamBenchLiving = "dreambench-living"
    case littleWorld = "little-world"

    /// All of them, for whoever named another.
    static var words: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension EvaluateSpec {
    /// Nil where the reader has found problems that leave nothing to make a job of.
    init?(_ reader: inout SpecReader) {
        let model = reader.model()
        reader.fields(
            [
                "version", "kind", "model", "concepts", "suite", "prompts", "images_per_prompt", "seed", "seeds",
                "images", "options",
            ], options: [.evaluation])
        concepts = reader.conceptNames()
        images = reader.referencesInstead(of: concepts)
        let prompts = reader.suitePrompts(concepts)
        imagesPerPrompt = reader.integer("images_per_prompt", 1...16)
        seed = reader.seed()
        seeds = reader.seeds()
        options = reader.options(anyOf: [.evaluation])
        reader.encoders(of: model)
        guard let model, let prompts else { return nil }
        (self.model, self.prompts) = (model, prompts)
    }

    /// Of `concepts` alone: the job's own prompts mention no others.
    package var mentions: [ConceptMention] {
        concepts.enumerated().map { ConceptMention(pointer: "/concepts/\($0)", reference: $1) }
    }

    var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "model": .string(model), "concepts": .array(concepts.map(JSONValue.string)),
        ]
        switch prompts {
        case .suite(let name): members["suite"] = .string(name.rawValue)
        case .own(let texts): members["prompts"] = .array(texts.map(JSONValue.string))
        }
        members["images_per_prompt"] = imagesPerPrompt.map(JSONValue.integer)
        members["seed"] = seed.map(JSONValue.integer)
        members["seeds"] = seeds.map { .array($0.map(JSONValue.integer)) }
        if !images.isEmpty { members["images"] = .array(images.map(\.json)) }
        if !options.isEmpty { members["options"] = .object(options) }
        return members
    }
}

/// What an `evaluate` job says beside what every job says.
extension SpecReader {
    /// The concepts to be measured, each once.
    mutating func conceptNames() -> [String] {
        guard let elements = body["concepts"]?.array, (1...16).contains(elements.count) else {
            note("/concepts", body["concepts"], "a list of 1 to 16 names of concepts")
            return []
        }
        var names: [String] = []
        for (index, element) in elements.enumerated() {
            guard let name = element.string, ConceptMention.isReference(name), !names.contains(name) else {
                noteName("/concepts/\(index)", element, "the name of a concept, or name@version, each once")
                continue
            }
            names.append(name)
        }
        return names
    }

    /// Reference pictures in the message, where the ones the concept was learnt from are not meant.
    mutating func referencesInstead(of concepts: [String]) -> [ImageSource] {
        guard body["images"] != nil else { return [] }
        if concepts.count > 1 {
            note(
                "/images", .string("pictures for \(concepts.count) concepts"),
                "pictures where concepts names a single one")
        }
        return images()
    }

    /// The suite the job names, or the prompts it brings itself.
    mutating func suitePrompts(_ concepts: [String]) -> EvaluateSpec.Prompts? {
        if let value = body["suite"] {
            let suite = value.string.flatMap(SuiteName.init(rawValue:))
            if suite == nil { note("/suite", value, SuiteName.words) }
            if body["prompts"] != nil { note("/prompts", body["prompts"], "nothing beside a suite") }
            return suite.map(EvaluateSpec.Prompts.suite)
        }
        guard body["prompts"] != nil else {
            note("/suite", nil, SuiteName.words + "; or prompts of your own in /prompts")
            return nil
        }
        let prompts = prompts(1...64, isTemplate: true)
        // Without concepts, which is a problem of its own, nobody knows what they may mention.
        for (index, prompt) in prompts.enumerated() where !concepts.isEmpty {
            checkMention(of: concepts, in: prompt, at: "/prompts/\(index)")
        }
        return .own(prompts)
    }

    /// One prompt serves every concept, so it calls each `{concept}`; a single concept may be called by its name.
    private mutating func checkMention(of concepts: [String], in prompt: String, at pointer: String) {
        let own = concepts.count == 1 ? concepts : []
        let allowed = ["{concept}"] + own.map { "<\($0)>" }
        let isMentioned = allowed.contains { prompt.contains($0) }
        let others = ConceptMention.names(in: prompt).filter { !own.contains($0) }
        if !isMentioned || !others.isEmpty {
            note(
                pointer, .string(prompt),
                """
                a prompt that mentions \(allowed.joined(separator: " or ")) and no other concept; {class} is its \
                class noun
                """
            )
        }
    }

    /// The encoders it names, or its model does, must be there.
    mutating func encoders(of model: String?) {
        let known = model.flatMap { models[$0] }
        let own = known?.encoders
        for (option, family, standard) in [("clip", ModelFamily.clip, own?.clip), ("dino", .dino, own?.dino)] {
            let given = body["options"]?[option]
            // What is no name is a problem already.
            if let given, given.string.map(ModelDescription.isName) != true { continue }
            // What a model that nobody knows is measured by nobody knows.
            if given == nil, known == nil { continue }
            let name = given?.string ?? standard
            if let name, models.allows(name, { $0 == family }) { continue }
            note("/options/\(option)", given ?? standard.map(JSONValue.string), models.words { $0 == family })
        }
    }

    /// Whole rounds of pictures, one a seed; nil where none are given.
    mutating func seeds() -> [Int]? {
        guard let value = body["seeds"] else { return nil }
        if body["seed"] != nil { note("/seed", body["seed"], "nothing beside seeds") }
        let seeds = (value.array ?? []).compactMap(\.integer).filter { $0 >= 0 }
        guard (1...16).contains(seeds.count), seeds.count == value.array?.count, Set(seeds).count == seeds.count else {
            note("/seeds", value, "a list of 1 to 16 different whole numbers from 0 to 9223372036854775807")
            return nil
        }
        return seeds
    }
}
