/// Draw pictures with none, one or more concepts named in the prompts.
package struct GenerateSpec: Sendable, Equatable {
    /// By its name.
    package var model: String
    /// 1 to 64.
    package var prompts: [String]
    /// 1 to 16.
    package var imagesPerPrompt: Int?
    /// Of the pictures; the model's usual one unless given.
    package var size: ModelDescription.Size?
    /// Nil where none was given.
    package var seed: Int?
    /// As they were given, of drawing with the model.
    package var options: [String: JSONValue]
    /// How much of what was learnt acts, by what the prompts call the concept: 0 nothing, 1 all of it.
    package var strengths: [String: Double] = [:]
    /// What of the artifacts the outcome shall carry.
    package var attach: [AttachedRole] = []

    /// Pictures of every prompt, one unless more are asked for.
    package var perPrompt: Int { imagesPerPrompt ?? 1 }
}

extension GenerateSpec {
    /// Nil where the reader has found problems that leave nothing to make a job of.
    init?(_ reader: inout SpecReader) {
        reader.fields(
            [
                "version", "kind", "model", "prompts", "images_per_prompt", "size", "seed", "options", "strengths",
                "attach",
            ], options: ModelFamily.allCases.compactMap(\.drawing))
        var strengths: [String: Double] = [:]
        self.init(drawing: &reader, on: \.draws) { strengths = $0.strengths(of: $1) }
        self.strengths = strengths
    }

    /// The members that every drawing job has.
    /// - Parameter more: reads what else depends on the prompts, whatever is wrong with the model.
    init?(
        drawing reader: inout SpecReader, on fits: (ModelFamily) -> Bool,
        _ more: (inout SpecReader, [String]) -> Void
    ) {
        let model = reader.model(fits)
        let prompts = reader.prompts(1...64)
        more(&reader, prompts)
        imagesPerPrompt = reader.integer("images_per_prompt", 1...16)
        size = reader.size(of: model)
        seed = reader.seed()
        options = reader.drawingOptions(model, on: fits)
        let joined = ["subject", "style"].compactMap { reader.body[$0]?.string }
        reader.hold(
            texts: OptionTable.diffusionDrawing.texts(in: options),
            naming: ConceptMention.all(in: prompts).map(\.key) + joined)
        attach = reader.attachedRoles()
        guard let model else { return nil }
        (self.model, self.prompts) = (model, prompts)
    }

    var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "model": .string(model), "prompts": .array(prompts.map(JSONValue.string)),
        ]
        members["images_per_prompt"] = imagesPerPrompt.map(JSONValue.integer)
        members["size"] = size.map { .string($0.text) }
        members["seed"] = seed.map(JSONValue.integer)
        if !options.isEmpty { members["options"] = .object(options) }
        if !strengths.isEmpty { members["strengths"] = .object(strengths.mapValues(JSONValue.number)) }
        if !attach.isEmpty { members["attach"] = AttachedRole.json(attach) }
        return members
    }
}
