import Evaluation
import Jobs

/// Whether a concept was learnt: how like its references pictures of it are, beside what the untouched model draws of
/// the same prompts without it, and beside the references of a subject among themselves.
struct Likeness {
    /// The share of the way from the untouched model to the references from which a subject counts as learnt (*ours*).
    static let smallestShare = 0.25

    /// Of a subject DINO, then CLIP-I; of a style its alignment.
    struct Measure: Equatable {
        let learnt, untuned: Score
        /// The references among themselves; nil of one reference, and of a style.
        let references: Double?

        /// The share of the way that was gone; nil where there is no way to speak of.
        var share: Double? {
            guard let references, references - untuned.value > 0.02 else { return nil }
            return (learnt.value - untuned.value) / (references - untuned.value)
        }

        fileprivate var text: String {
            func shown(_ value: Double) -> String { "\(value.rounded(digits: 2))" }
            return "\(learnt.name) \(shown(learnt.value)), the untuned model \(shown(untuned.value))"
                + (references.map { ", references among themselves \(shown($0))" } ?? "")
        }
    }

    let measures: [Measure]

    /// Of the scores of the same metrics.
    init(learnt: [Score], untuned: [Score], references: [Score]) {
        measures = [Score.Metric.dino, .clipI, .styleAlignment].compactMap { metric in
            func score(_ scores: [Score]) -> Score? { scores.first { $0.metric == metric } }
            guard let learnt = score(learnt), let untuned = score(untuned) else { return nil }
            return Measure(learnt: learnt, untuned: untuned, references: score(references)?.value)
        }
    }

    /// By DINO, which tells individuals of a class apart; nil where that cannot be said. Of one reference, and of a
    /// style, nobody knows how far the way is, but what went none of it was not learnt.
    var isLearnt: Bool? {
        guard let measure = measures.first else { return nil }
        if measure.references == nil, measure.learnt.value <= measure.untuned.value { return false }
        return measure.share.map { $0 >= Likeness.smallestShare }
    }

    var warnings: [String] {
        guard isLearnt == false else { return [] }
        return ["not learnt: " + measures.map(\.text).joined(separator: "; ")]
    }

    /// For a job's result: by metric and encoder, what was learnt beside the other two.
    var json: JSONValue {
        var members = Dictionary(
            uniqueKeysWithValues: measures.map { measure in
                (
                    measure.learnt.key,
                    JSONValue.object([
                        "learnt": .number(measure.learnt.value), "untuned": .number(measure.untuned.value),
                        "references": measure.references.map(JSONValue.number) ?? .null,
                    ])
                )
            })
        members["is_learnt"] = isLearnt.map(JSONValue.bool) ?? .null
        return .object(members)
    }
}
