import Backbones
import Evaluation
import Foundation
import Jobs
import Personalization

/// Looks into what a job asks for in words: whether the model can read it whole, and knows it.
struct PromptInspection {
    /// - Parameter adapters: of the concepts that it mentions, by what it calls them.
    func inspect(
        _ body: JSONValue, _ model: ModelText, _ adapters: [String: InspectionOrder.Adapter],
        _ findings: inout Findings
    ) {
        guard let words = model.tokenizer else { return }
        let (texts, written) = (texts(of: body, model), written(in: body))
        let concepts = Set((texts + written).flatMap { ConceptMention.names(in: $0.text) }).sorted()
        let tokenizer = words.adding(placeholders: concepts.map { "<\($0)>" })
        let rows = rows(of: adapters, in: body)
        for (pointer, text) in texts {
            if let problem = tooLong(text, at: pointer, tokenizer, model, concepts: concepts.count, rows) {
                findings.problems.append(problem)
            }
        }
        for (pointer, text) in written {
            findings.warnings += remarks(on: text, at: pointer, tokenizer, model)
        }
    }

    /// What a supervisor does not read whole of what it is to draw: it may read less than the student.
    func problems(of spec: PersonalizeSpec, taughtBy supervisor: ModelText) -> [Problem] {
        guard let words = supervisor.tokenizer else { return [] }
        return spec.concepts.enumerated().flatMap { index, concept -> [Problem] in
            guard spec.proxies(of: concept) == nil else { return [] }
            let plain = Concept(name: concept.name, className: concept.className ?? "", references: []).plainPrompt
            let contexts = texts(spec.options["contexts"], at: "/options/contexts").map {
                ($0.pointer, "\(plain) \($0.text)")
            }
            let tokenizer = words.adding(placeholders: ["<\(concept.name)>"])
            return ([(spec.place(ofClass: index), plain)] + contexts).compactMap { pointer, text in
                tooLong(text, at: pointer, tokenizer, supervisor, concepts: 1, [:])
            }
        }
    }

    /// Places that a mention takes, by what is between its brackets, where that is not one; more than any model reads
    /// are as many as that.
    private func rows(of adapters: [String: InspectionOrder.Adapter], in body: JSONValue) -> [String: Int] {
        var rows = adapters.compactMapValues { $0.rows.map { min(max($0, 1), 1 << 20) } }
        // One prompt serves every concept: that of the most rows must fit, too.
        if body["kind"]?.string == JobKind.evaluate.rawValue { rows[Self.any] = rows.values.max() }
        return rows
    }

    private func tooLong(
        _ text: String, at pointer: String, _ tokenizer: TextTokenizer, _ model: ModelText, concepts: Int,
        _ rows: [String: Int]
    ) -> Problem? {
        let limits = model.description.limits
        guard let most = limits.promptTokens else { return nil }
        let limit = most - (limits.tokensPerConcept ?? 0) * concepts
        let count = model.tokens(of: text, tokenizer) + text.places(beyondOneFor: rows)
        guard count > limit else { return nil }
        return Problem(
            pointer, found: "\(count) tokens", allowed: "at most \(limit) tokens of \(model.description.name)")
    }

    private func remarks(
        on text: String, at pointer: String, _ tokenizer: TextTokenizer, _ model: ModelText
    ) -> [String] {
        let read = model.read(text, tokenizer)
        if read.allSatisfy(\.isInvisible) { return ["\(pointer): says nothing"] }
        let words = tokenizer.unlearntWords(in: read, with: model.description.unlearnt ?? [])
        guard !words.isEmpty else { return tokenizer.words(read).isEmpty ? ["\(pointer): says nothing"] : [] }
        let named = words.prefix(8).map { "“\($0.clipped(to: 40))”" }.joined(separator: ", ")
        let more = words.count > 8 ? " and \(words.count - 8) more" : ""
        return ["\(pointer): words that \(model.description.name) never learnt: \(named)\(more)"]
    }

    /// What the sender wrote, as the model reads it.
    private func written(in body: JSONValue) -> [(pointer: String, text: String)] {
        let classes = concepts(of: body).compactMap { pointer, concept in
            text(concept["class"]).map { (pointer + "/class", $0) }
        }
        let options = ["prompt", "negative_prompt"].compactMap { name in
            text(body["options"]?[name]).map { ("/options/\(name)", $0) }
        }
        let given = contexts(of: body) + suite(of: body)
        let texts = texts(body["prompts"], at: "/prompts") + options + given
        return classes + texts.map { ($0.0, filled($0.1)) }
    }

    /// What the model reads: prompts, and what is made of a concept's class noun. What follows only from a concept's
    /// adapter is left to when the job begins: the class noun of an evaluation and of a composition.
    private func texts(of body: JSONValue, _ model: ModelText) -> [(pointer: String, text: String)] {
        var texts = texts(body["prompts"], at: "/prompts").map { ($0.pointer, filled($0.text)) }
        if let negative = text(body["options"]?["negative_prompt"]) {
            texts.append(("/options/negative_prompt", negative))
        }
        for (pointer, value) in concepts(of: body) {
            guard let name = text(value["name"]), let role = value["role"]?.string.flatMap(ConceptRole.init(rawValue:)),
                let noun = noun(of: value, role),
                let method = body["method"]?.string.flatMap(PersonalizationMethod.init(rawValue:))
            else { continue }
            let concept = Concept(name: name, role: role, className: noun, references: [], wording: model.wording)
            texts.append((pointer + "/class", SamplePrompts([], concept: concept, method: method).longest))
            texts += contexts(of: body).map { ($0.pointer, "\(concept.plainPrompt) \($0.text)") }
            if let prompt = text(body["options"]?["prompt"]) {
                var options = CoAROptions()
                options.prompt = prompt
                texts.append(("/options/prompt", options.prompt(of: concept)))
            }
        }
        return texts
    }

    /// A concept's class noun, which a style need not have.
    private func noun(of concept: JSONValue, _ role: ConceptRole) -> String? {
        role == .style && concept["class"] == nil ? "" : text(concept["class"])
    }

    /// The concepts that are to be learnt, and where they are described.
    private func concepts(of body: JSONValue) -> [(pointer: String, JSONValue)] {
        let several = (body["concepts"]?.array ?? []).prefix(8).enumerated().map { ("/concepts/\($0)", $1) }
        return (body["concept"].map { [("/concept", $0)] } ?? []) + several
    }

    private func contexts(of body: JSONValue) -> [(pointer: String, text: String)] {
        texts(body["options"]?["contexts"], at: "/options/contexts")
    }

    /// All prompts of the suite that an evaluation names, as one text.
    private func suite(of body: JSONValue) -> [(pointer: String, text: String)] {
        guard body["kind"]?.string == JobKind.evaluate.rawValue,
            let name = body["suite"]?.string.flatMap(SuiteName.init(rawValue:))
        else { return [] }
        return [("/suite", PromptSuite(name).templates.joined(separator: "; "))]
    }

    private func texts(_ list: JSONValue?, at pointer: String) -> [(pointer: String, text: String)] {
        (list?.array ?? []).prefix(64).enumerated().compactMap { index, value in
            text(value).map { ("\(pointer)/\(index)", $0) }
        }
    }

    /// One that a job may have. A longer one is refused without being read, for which others would wait.
    private func text(_ value: JSONValue?) -> String? {
        value?.string.flatMap { $0.utf8.count <= JobSpec.mostPromptBytes ? $0 : nil }
    }

    /// What a concept is called where one is meant, whichever it is.
    private static let any = "concept"

    /// With a concept where one is meant.
    private func filled(_ text: String) -> String {
        text.replacing("{concept}", with: "<\(Self.any)>").replacing("{class}", with: " ")
    }
}

extension Character {
    /// Whether nothing is seen of it: a blank, or marks that only join or direct others.
    fileprivate var isInvisible: Bool {
        isWhitespace
            || unicodeScalars.allSatisfy { $0.properties.isDefaultIgnorableCodePoint || $0.properties.isWhitespace }
    }
}
