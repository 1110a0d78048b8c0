/// Learn a concept from reference pictures.
package struct PersonalizeSpec: Sendable, Equatable {
    /// What is learnt.
    package var concept: ConceptSpec
    package var method: PersonalizationMethod
    package var model: String
    /// 1 to 32.
    package var images: [ImageSource]
    /// Of the sample pictures; empty: the method's own.
    package var prompts: [String]
    /// Nil where none was given.
    package var seed: Int?
    /// As they were given; what holds for the others is in the method's `OptionTable`.
    package var options: [String: JSONValue]

    /// What the method leaves open for such a concept.
    package var table: OptionTable { method.options(for: concept.role) }
}

extension PersonalizeSpec {
    /// Nil where the reader has found problems that leave nothing to make a job of.
    init?(_ reader: inout SpecReader) {
        let model = reader.model()
        reader.fields(["version", "kind", "concept", "method", "model", "images", "prompts", "seed", "options"])
        let concept = reader.concept()
        let method = reader.method(model: model, role: concept?.role)
        images = reader.images()
        prompts = reader.prompts(0...64)
        if let concept { reader.only([concept.name], in: prompts, because: "the concept this job learns") }
        seed = reader.seed()
        options = reader.options(method?.options(for: concept?.role ?? .subject))
        if let model = model.flatMap({ reader.models[$0] }) { reader.hold(options, against: model) }
        guard let model, let concept, let method else { return nil }
        (self.concept, self.method, self.model) = (concept, method, model)
    }

    var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "concept": concept.json, "method": .string(method.rawValue), "model": .string(model),
            "images": .array(images.map(\.json)),
        ]
        if !prompts.isEmpty { members["prompts"] = .array(prompts.map(JSONValue.string)) }
        if !options.isEmpty { members["options"] = .object(options) }
        members["seed"] = seed.map(JSONValue.integer)
        return members
    }
}

/// What a `personalize` job learns.
package struct ConceptSpec: Sendable, Equatable {
    /// How prompts call it: `<name>`.
    package var name: String
    package var role: ConceptRole
    /// The noun of what the references show; nil where a style's is not said.
    package var className: String?

    var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "role": .string(role.rawValue)]
        members["class"] = className.map(JSONValue.string)
        return .object(members)
    }
}
