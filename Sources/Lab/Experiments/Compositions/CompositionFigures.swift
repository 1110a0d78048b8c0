import Backbones
import Evaluation
import Foundation
import Images

/// Subject, style and text alignment of each arm, by seed, and their means with the spread over seeds.
package struct CompositionFigures {
    /// One arm and one seed, over all subjects, styles and places.
    package struct Row: Codable, Equatable, Sendable {
        let arm: String
        let seed: UInt64
        /// all, held-out or other.
        let styles: String
        /// The means over pairs of a subject and a style.
        let subject, style, text: Double
        let sum: Double
        let pictures: Int
    }

    /// An arm over all seeds: means, and the standard deviations over seeds, 0 of one seed.
    package struct Summary: Codable, Equatable, Sendable {
        let arm, styles: String
        let subject, style, text, sum: Double
        let subjectSpread, styleSpread, textSpread, sumSpread: Double
        let seeds: Int
    }

    /// Arm by arm, seed by seed, and within each all styles, those never seen in training, and the others.
    package private(set) var rows: [Row] = []

    /// Adds an arm's scores of one seed: (subject, style, text) of every pair.
    mutating func add(
        _ arm: CompositionPlan.Arm, seed: UInt64, styles: String,
        scores: [(subject: Double, style: Double, text: Double)], pictures: Int
    ) {
        guard !scores.isEmpty else { return }
        func mean(_ value: ((subject: Double, style: Double, text: Double)) -> Double) -> Double {
            scores.map(value).reduce(0, +) / Double(scores.count)
        }
        let (subject, style, text) = (mean(\.subject), mean(\.style), mean(\.text))
        rows.append(
            Row(
                arm: arm.rawValue, seed: seed, styles: styles, subject: subject, style: style, text: text,
                sum: subject + style + text, pictures: pictures))
    }

    /// One an arm and group of styles, in the order of the rows.
    package var summaries: [Summary] {
        var keys: [[String]] = []
        for row in rows where !keys.contains([row.arm, row.styles]) { keys.append([row.arm, row.styles]) }
        return keys.map { key in
            let some = rows.filter { $0.arm == key[0] && $0.styles == key[1] }
            func figure(_ value: (Row) -> Double) -> MeanEstimate { MeanEstimate(some.map(value)) }
            let (subject, style, text, sum) = (figure(\.subject), figure(\.style), figure(\.text), figure(\.sum))
            return Summary(
                arm: key[0], styles: key[1], subject: subject.mean, style: style.mean, text: text.mean, sum: sum.mean,
                subjectSpread: subject.deviation ?? 0,
                styleSpread: style.deviation ?? 0, textSpread: text.deviation ?? 0, sumSpread: sum.deviation ?? 0,
                seeds: some.count)
        }
    }

    /// A line an arm, for people.
    package var table: String {
        func cell(_ mean: Double, _ spread: Double) -> String { String(format: "%.4f ± %.4f", mean, spread) }
        let header = ["arm", "styles", "subject", "style", "text", "sum"]
        let lines =
            [header]
            + summaries.map {
                [
                    $0.arm, $0.styles, cell($0.subject, $0.subjectSpread), cell($0.style, $0.styleSpread),
                    cell($0.text, $0.textSpread), cell($0.sum, $0.sumSpread),
                ]
            }
        return lines.map { line in
            line.enumerated().map { $1.padding(toLength: $0 < 2 ? 12 : 18, withPad: " ", startingAt: 0) }.joined(
                separator: " ") + "\n"
        }.joined()
    }
}

/// The encoders' view of one pair's pictures beside its references and descriptions (Shah et al., ZipLoRA, arXiv
/// 2311.13600, table 1).
struct CompositionMeasure {
    let clip: CLIPEncoder
    let dino: DINOEncoder

    func scores(
        _ pictures: [Picture], subject: [Picture], style: [Picture], descriptions: [String]
    ) -> (subject: Double, style: Double, text: Double) {
        let seen = Embeddings(of: pictures, by: clip)
        return (
            Score.subjectAlignment(
                generated: Embeddings(of: pictures, by: dino), references: Embeddings(of: subject, by: dino)
            ).value,
            Score.styleAlignment(generated: seen, style: Embeddings(of: style, by: clip)).value,
            Score.textAlignment(generated: seen, prompts: Embeddings(of: descriptions, by: clip)).value
        )
    }
}
