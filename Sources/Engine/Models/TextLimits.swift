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
        let count = backbone.tokenCounter(naming: concepts.sorted().map { "<\($0)>" }, spelled: spelled)
        let limit = backbone.textLimit(concepts: concepts.count)
        return texts.compactMap { pointer, text in
            let count = count(text) + text.places(beyondOneFor: rows)
            return count <= limit ? nil : Problem(pointer, found: "\(count) tokens", allowed: "at most \(limit) tokens")
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
