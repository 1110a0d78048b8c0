import Backbones
import Jobs
import Personalization

extension LoadedModel {
    /// Holds texts against what the model can read whole.
    /// - Parameters:
    ///   - concepts: names that texts may mention.
    ///   - spelled: what they are called by where text encoders are several.
    ///   - rows: how many stand for a mention in the encoded text, by name, where that is not one.
    /// - Throws: `JobFailure` listing those that are too long; they are the sender's to mend.
    package func check(
        _ texts: [(pointer: String, text: String)], concepts: [String], spelled: ConceptSpellings,
        rows: [String: Int] = [:]
    ) throws {
        let problems = tooLong(texts, concepts: concepts, spelled: spelled, rows: rows)
        if !problems.isEmpty { throw LoadedModel.rejection(problems) }
    }

    /// What is said of texts that are too long.
    package static func rejection(_ tooLong: [Problem]) -> JobFailure {
        JobFailure(
            code: "input.prompt", consequence: .rejected,
            message: "\(counted(tooLong.count, "text", "is", "are")) too long for the model", problems: tooLong)
    }

    /// A problem for every text that the model cannot read whole.
    package func tooLong(
        _ texts: [(pointer: String, text: String)], concepts: [String], spelled: ConceptSpellings,
        rows: [String: Int] = [:]
    ) -> [Problem] {
        let count = tokenCount(naming: concepts.sorted().map { "<\($0)>" }, spelled: spelled)
        let limit = textLimit(concepts: concepts.count)
        return texts.compactMap { pointer, text in
            let count = count(text) + text.places(beyondOneFor: rows)
            return count <= limit ? nil : Problem(pointer, found: "\(count) tokens", allowed: "at most \(limit) tokens")
        }
    }

    /// Counts the tokens of what is said for a text, and the end mark.
    private func tokenCount(naming placeholders: [String], spelled: ConceptSpellings) -> (String) -> Int {
        func count(_ reader: PromptReader) -> (String) -> Int {
            let tokenizer = reader.tokenizer.adding(placeholders: placeholders)
            return { reader.wholeIDs($0, tokenizer: tokenizer).count }
        }
        switch backbone {
        case .infinity(let model): return count(model.reader)
        case .llamagen(let model): return count(model.reader)
        case .diffusion(let model as DiffusionModel): return count(model.reader)
        case .diffusion(let model): return { model.tokenCount(spelled($0)) }
        case .chameleon(let model):
            let tokenizer = model.textTokenizer.adding(placeholders: placeholders)
            return { model.words($0, tokenizer: tokenizer).count + 1 }
        }
    }

    /// Tokens of a text with its end mark. In Chameleon's sequence the text shares the places with the marks, the
    /// picture and an image vector for each concept.
    func textLimit(concepts: Int) -> Int {
        switch backbone {
        case .infinity(let model): return model.configuration.transformer.textLength
        case .llamagen(let model): return model.configuration.transformer.captionLength
        case .diffusion(let model): return model.longestPrompt
        case .chameleon(let model): return model.configuration.promptRoom - concepts + 1
        }
    }
}

extension String {
    /// Places that mentions of concepts take beyond one each.
    /// - Parameter rows: how many of a mention, by what is between its brackets.
    func places(beyondOneFor rows: [String: Int]) -> Int {
        rows.reduce(0) { sum, concept in
            let mentions = ranges(of: "<\(concept.key)>")
            return sum + mentions.count * (concept.value - 1)
        }
    }
}
