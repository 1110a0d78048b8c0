import Evaluation
import Jobs

/// How like the subject, and how diverse, pictures of the class are.
struct ClassScores: Equatable {
    let pres, div: Score
}

extension ClassScores {
    init(_ metrics: ConceptMetrics, _ pictures: EvaluationPictures) {
        self.init(pres: metrics.pres(pictures.classPictures)[0], div: metrics.diversity(pictures.classGroups)[0])
    }
}

/// What learning did to the class.
package struct Drift {
    /// Shares from which a change is worth a warning (*ours*): half of the way from the class to the subject, half of
    /// the diversity.
    package static let largestApproach = 0.5, largestLoss = 0.5

    private static let shortestWay = 0.05

    /// The noun of class and concept.
    let className: String
    let before, after: ClassScores
    /// PRES if every one of the class were the subject.
    package let ceiling: Double

    /// The share of the way from the class to the subject that the class has gone; negative where it went away, nil
    /// where there is no way to speak of: a class as like the references as they are to each other.
    package var approach: Double? { Drift.approach(from: before.pres.value, to: after.pres.value, ceiling: ceiling) }
    /// The share of the class's diversity that is lost; negative where there is more.
    package var loss: Double { before.div.value > 0 ? 1 - after.div.value / before.div.value : 0 }

    /// The share of the way from `before` to `ceiling`; nil where that is shorter than 0.05.
    package static func approach(from before: Double, to after: Double, ceiling: Double) -> Double? {
        ceiling - before < Drift.shortestWay ? nil : (after - before) / (ceiling - before)
    }

    /// One for each share beyond its limit, and what would keep it within.
    var warnings: [String] {
        let advice = "fewer iterations, a smaller learning rate or more prior preservation keep"
        return [
            approach ?? 0 > Drift.largestApproach
                ? """
                \(change(\.pres, "rose")): other \(className) pictures drift towards the concept; \(advice) them \
                apart
                """
                : nil,
            loss > Drift.largestLoss
                ? "\(change(\.div, "fell")): pictures of one prompt grow alike; \(advice) them diverse" : nil,
        ].compactMap { $0 }
    }

    private func change(_ score: KeyPath<ClassScores, Score>, _ verb: String) -> String {
        let (was, now) = (before[keyPath: score], after[keyPath: score])
        return
            """
            \(was.name) of \"\(className)\" \(verb) from \(was.value.rounded(digits: 3)) to \
            \(now.value.rounded(digits: 3))
            """
    }

    /// For a job's result: both scores of the class before and after, by metric and encoder, with the shares that
    /// warnings go by.
    package var json: JSONValue {
        func row(_ score: KeyPath<ClassScores, Score>, _ share: String, _ value: Double?) -> (String, JSONValue) {
            let (was, now) = (before[keyPath: score], after[keyPath: score])
            return (
                was.key,
                .object([
                    "before": .number(was.value), "after": .number(now.value),
                    share: value.map(JSONValue.number) ?? .null,
                ])
            )
        }
        return .object(Dictionary(uniqueKeysWithValues: [row(\.pres, "approach", approach), row(\.div, "loss", loss)]))
    }
}
