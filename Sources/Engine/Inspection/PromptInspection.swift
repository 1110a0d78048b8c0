import Backbones
import Foundation
import Jobs
import Personalization

/// Looks into what a job asks for in words: whether the model can read it whole, and knows it.
struct PromptInspection {
    func inspect(_ body: JSONValue, _ model: ModelText, _ findings: inout Findings) {
        guard let words = model.tokenizer else { return }
        let texts = texts(of: body, model)
        let concepts = Set(texts.flatMap { ConceptMention.names(in: $0.text) }).sorted()
        let tokenizer = words.adding(placeholders: concepts.map { "<\($0)>" })
        for (pointer, text) in texts {
            if let problem = tooLong(text, at: pointer, tokenizer, model, concepts: concepts.count) {
                findings.problems.append(problem)
            }
        }
        for (pointer, text) in written(in: body) {
            findings.warnings += remarks(on: text, at: pointer, tokenizer, model)
        }
    }

    private func tooLong(
        _ text: String, at pointer: String, _ tokenizer: TextTokenizer, _ model: ModelText, concepts: Int
    ) -> Problem? {
        let limits = model.description.limits
        guard let most = limits.promptTokens else { return nil }
        let limit = most - (limits.tokensPerConcept ?? 0) * concepts
        let count = model.tokens(of: text, tokenizer)
        guard count > limit else { return nil }
        return Problem(
            pointer, found: "\(count) tokens", allowed: "at most \(limit) tokens of \(model.description.name)")
    }

    private func remarks(
        on text: String, at pointer: String, _ tokenizer: TextTokenizer, _ model: ModelText
    ) -> [String] {
        if model.read(text, tokenizer).allSatisfy(\.isWhitespace) { return ["\(pointer): says nothing"] }
        let words = tokenizer.unlearntWords(in: model.read(text, tokenizer))
        guard !words.isEmpty else { return [] }
        let named = words.prefix(8).map { "“\($0.clipped(to: 40))”" }.joined(separator: ", ")
        let more = words.count > 8 ? " and \(words.count - 8) more" : ""
        return ["\(pointer): words that \(model.description.name) never learnt: \(named)\(more)"]
    }

    /// What the sender wrote.
    private func written(in body: JSONValue) -> [(pointer: String, text: String)] {
        let prompts = (body["prompts"]?.array ?? []).prefix(64).enumerated().compactMap { index, value in
            value.string.map { ("/prompts/\(index)", $0) }
        }
        let noun = body["concept"]?["class"]?.string.map { [("/concept/class", $0)] } ?? []
        return noun + prompts
    }

    /// What the model reads: prompts, and what is made of a concept's class noun. What follows only from a concept's
    /// adapter is left to when the job begins: the class noun of an evaluation and of a composition.
    private func texts(of body: JSONValue, _ model: ModelText) -> [(pointer: String, text: String)] {
        var texts = written(in: body).filter { $0.pointer != "/concept/class" }.map {
            ($0.pointer, $0.text.replacing("{concept}", with: "<concept>").replacing("{class}", with: " "))
        }
        guard let name = body["concept"]?["name"]?.string, let noun = body["concept"]?["class"]?.string,
            let role = body["concept"]?["role"]?.string.flatMap(ConceptRole.init(rawValue:)),
            let method = body["method"]?.string.flatMap(PersonalizationMethod.init(rawValue:))
        else { return texts }
        let concept = Concept(name: name, role: role, className: noun, references: [], wording: model.wording)
        texts.append(("/concept/class", SamplePrompts([], concept: concept, method: method).longest))
        if let prompt = body["options"]?["prompt"]?.string {
            var options = CoAROptions()
            options.prompt = prompt
            texts.append(("/options/prompt", options.prompt(of: concept)))
        }
        return texts
    }
}
