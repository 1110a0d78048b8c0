import Evaluation
import Jobs
import Personalization

/// A concept's row in a table of scores.
struct ConceptRow {
    let name: String
    let description: Adapter.Description
    /// The prompts' name.
    let suite: String
    let pictures: Int
    /// By metric and encoder, over seeds.
    let scores: [String: MeanEstimate]

    /// - Parameter rounds: the scores of every seed.
    init(name: String, description: Adapter.Description, suite: String, pictures: Int, rounds: [[Score]]) {
        self.name = name
        self.description = description
        self.suite = suite
        self.pictures = pictures
        scores = Dictionary(grouping: rounds.flatMap { $0 }, by: \.key).mapValues { MeanEstimate($0.map(\.value)) }
    }

    var json: JSONValue {
        .object([
            "concept": .string(name), "role": .string(description.role.rawValue),
            "class": .string(description.className),
            "method": .string(description.method.rawValue),
            "suite": .string(suite), "pictures": .integer(pictures),
            "scores": .object(scores.mapValues { .number($0.mean) }),
            "intervals": .object(scores.compactMapValues { $0.halfWidth.map(JSONValue.number) }),
        ])
    }

    /// What is said of a subject whose pictures are liker the references of others than its own.
    var warnings: [String] {
        guard let own = score(.dino), let others = score(.otherDINO), others.mean > own.mean else { return [] }
        return [
            """
            not kept apart: its pictures have a DINO of \(others.mean.rounded(digits: 3)) to the references of the \
            other subjects, and of \(own.mean.rounded(digits: 3)) to its own
            """
        ]
    }

    /// By whichever encoder.
    private func score(_ metric: Score.Metric) -> MeanEstimate? {
        scores.first { $0.key.hasPrefix(Score.key(metric) + ".") }?.value
    }

    /// The mean over concepts.
    static func means(_ rows: [ConceptRow]) -> [String: Double] {
        Dictionary(grouping: rows.flatMap(\.scores), by: \.key).mapValues { MeanEstimate($0.map(\.value.mean)).mean }
    }
}
