import Backbones
import Evaluation
import Foundation
import Images
import LittleWorld

/// Subject, style and text alignment of each arm, by seed, and their means with the spread over seeds and the 95 %
/// intervals over subjects, beside what CoAR's table 2 has; with a classifier also the shares of pictures that show
/// what was asked for.
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
        /// The shares of pictures in which each trait that was asked for is seen, by the trait, and under `all` those
        /// right in every one; nil without a classifier.
        var right: [String: Double]?
    }

    /// An arm over all seeds: means, and the standard deviations over seeds, 0 of one seed.
    package struct Summary: Codable, Equatable, Sendable {
        let arm, styles: String
        let subject, style, text, sum: Double
        let subjectSpread, styleSpread, textSpread, sumSpread: Double
        /// Half of the 95 % intervals over subjects, each of which counts once, with its mean over styles and seeds;
        /// nil of one subject.
        let subjectInterval, styleInterval, textInterval, sumInterval: Double?
        let seeds: Int
        /// CoAR's figures, over all styles: `subject`, `style` and `text`; nil of what its table has not.
        let published: [String: Double]?
        /// Nil without a classifier; a trait's interval is missing where fewer than two subjects were asked for it.
        let right, rightSpread, rightInterval: [String: Double]?
    }

    /// CoAR (arXiv 2508.07341), table 2: its own composition on Lumina-mGPT 7B, and the two it is compared with; eight
    /// subjects, six styles, ten prompts. Subjects by DINO, styles and texts by CLIP.
    static let published: [CompositionPlan.Arm: [String: Double]] = [
        .masked: ["subject": 0.604, "style": 0.594, "text": 0.308],
        .split: ["subject": 0.579, "style": 0.505, "text": 0.258],
        .learned: ["subject": 0.655, "style": 0.597, "text": 0.272],
    ]

    /// Of the traits those that a table shows.
    private static let shown = [PictureTrait.style, .colour, .subjectClass].map(\.rawValue)

    /// How well styles are told at all; nil without a classifier.
    package internal(set) var styles: StyleClassifier.Accuracy?
    /// Arm by arm, seed by seed, and within each all styles, those never seen in training, and the others.
    package private(set) var rows: [Row] = []
    /// What the rows are the means of, by arm and group of styles.
    private var scores: [[String]: [CompositionScore]] = [:]

    /// Adds an arm's scores of one seed, of every pair.
    mutating func add(
        _ arm: CompositionPlan.Arm, seed: UInt64, styles: String, scores: [CompositionScore], pictures: Int
    ) {
        guard !scores.isEmpty else { return }
        self.scores[[arm.rawValue, styles], default: []] += scores
        func mean(_ value: (CompositionScore) -> Double) -> Double {
            scores.map(value).reduce(0, +) / Double(scores.count)
        }
        let (subject, style, text) = (mean(\.subject), mean(\.style), mean(\.text))
        rows.append(
            Row(
                arm: arm.rawValue, seed: seed, styles: styles, subject: subject, style: style, text: text,
                sum: subject + style + text, pictures: pictures, right: CompositionFigures.right(scores)))
    }

    private static func right(_ scores: [CompositionScore]) -> [String: Double]? {
        let verdicts = scores.flatMap(\.verdicts)
        guard !verdicts.isEmpty else { return nil }
        let score = AttributeScore(verdicts, truths: scores.flatMap(\.asked))
        var right = ["all": score.whollyRight]
        for trait in PictureTrait.allCases { right[trait.rawValue] = score.accuracy(trait) }
        return right
    }

    /// One an arm and group of styles, in the order of the rows.
    package var summaries: [Summary] {
        var keys: [[String]] = []
        for row in rows where !keys.contains([row.arm, row.styles]) { keys.append([row.arm, row.styles]) }
        return keys.map { key in
            let some = rows.filter { $0.arm == key[0] && $0.styles == key[1] }
            func figure(_ value: (Row) -> Double) -> MeanEstimate { MeanEstimate(some.map(value)) }
            let (subject, style, text, sum) = (figure(\.subject), figure(\.style), figure(\.text), figure(\.sum))
            let right = CompositionFigures.right(some)
            let interval = SubjectIntervals(scores[key] ?? [])
            return Summary(
                arm: key[0], styles: key[1], subject: subject.mean, style: style.mean, text: text.mean, sum: sum.mean,
                subjectSpread: subject.deviation ?? 0,
                styleSpread: style.deviation ?? 0, textSpread: text.deviation ?? 0, sumSpread: sum.deviation ?? 0,
                subjectInterval: interval.of(\.subject), styleInterval: interval.of(\.style),
                textInterval: interval.of(\.text), sumInterval: interval.of(\.sum), seeds: some.count,
                published: key[1] == "all" ? CompositionPlan.Arm(rawValue: key[0]).flatMap { Self.published[$0] } : nil,
                right: right?.mapValues(\.mean), rightSpread: right?.mapValues { $0.deviation ?? 0 },
                rightInterval: interval.right)
        }
    }

    /// Every trait's share over rows of the same prompts.
    private static func right(_ rows: [Row]) -> [String: MeanEstimate]? {
        rows.first?.right?.keys.reduce(into: [:]) { estimates, trait in
            estimates[trait] = MeanEstimate(rows.compactMap { $0.right?[trait] })
        }
    }

    /// Half of the 95 % intervals over subjects.
    private struct SubjectIntervals {
        /// One element a subject.
        private let subjects: [[CompositionScore]]

        init(_ scores: [CompositionScore]) {
            subjects = Dictionary(grouping: scores, by: \.individual).sorted { $0.key < $1.key }.map(\.value)
        }

        /// Nil of one subject.
        func of(_ value: (CompositionScore) -> Double) -> Double? {
            MeanEstimate(subjects.map { $0.map(value).reduce(0, +) / Double($0.count) }).halfWidth
        }

        /// Of every trait's share.
        var right: [String: Double]? {
            let shares = subjects.compactMap { CompositionFigures.right($0) }
            guard !shares.isEmpty else { return nil }
            var intervals: [String: Double] = [:]
            for trait in Set(shares.flatMap(\.keys)) {
                intervals[trait] = MeanEstimate(shares.compactMap { $0[trait] }).halfWidth
            }
            return intervals
        }
    }

    private static let legend =
        """
        mean ± half of its 95 % interval over subjects (CoAR's table 2, arXiv 2508.07341, with other subjects, styles \
        and encoders)

        """

    /// A line an arm, for people.
    package var table: String {
        let header = ["arm", "styles", "subject", "style", "text", "sum"] + traits.map { "\($0) right" }
        return ([header] + summaries.map(cells)).map { line in
            line.enumerated().map { $1.padding(toLength: $0 < 2 ? 12 : 23, withPad: " ", startingAt: 0) }.joined(
                separator: " ") + "\n"
        }.joined() + CompositionFigures.legend + ceiling
    }

    /// Those of which a table has the shares.
    private var traits: [String] { styles == nil ? [] : CompositionFigures.shown }

    private func cells(_ summary: Summary) -> [String] {
        func cell(_ mean: Double, _ interval: Double?, _ published: Double? = nil) -> String {
            String(format: "%.3f", mean) + (interval.map { String(format: " ± %.3f", $0) } ?? "")
                + (published.map { String(format: " (%.3f)", $0) } ?? "")
        }
        let alignments = [
            cell(summary.subject, summary.subjectInterval, summary.published?["subject"]),
            cell(summary.style, summary.styleInterval, summary.published?["style"]),
            cell(summary.text, summary.textInterval, summary.published?["text"]),
            cell(summary.sum, summary.sumInterval),
        ]
        let shares = traits.map { cell(summary.right?[$0] ?? .nan, summary.rightInterval?[$0]) }
        return [summary.arm, summary.styles] + alignments + shares
    }

    /// How far the shares of styles can be trusted.
    private var ceiling: String {
        guard let styles else { return "" }
        return String(
            format: """
                of the world's own pictures of other individuals the style is told right in %.4f, in %.4f of those in \
                styles never seen in training (%d pictures)

                """, styles.all, styles.heldOut, styles.pictures)
    }
}

/// What one pair's pictures score.
struct CompositionScore {
    let subject, style, text: Double
    /// The subject's name.
    var individual = ""
    /// What a classifier sees on each picture; empty without one.
    var verdicts: [TraitLabels] = []
    /// And what was asked for.
    var asked: [TraitLabels] = []
    var sum: Double { subject + style + text }
}

/// The encoders' view of one pair's pictures beside its references and descriptions (Shah et al., ZipLoRA, arXiv
/// 2311.13600, table 1), and a classifier's beside what was asked for.
struct CompositionMeasure {
    let clip: CLIPEncoder
    let dino: DINOEncoder
    let classifier: StyleClassifier?

    /// - Parameter scenes: what each picture was asked to show.
    func score(
        _ pictures: [Picture], of scenes: [Scene], subject: [Picture], style: [Picture], descriptions: [String]
    ) -> CompositionScore {
        let seen = Embeddings(of: pictures, by: clip)
        return CompositionScore(
            subject: Score.subjectAlignment(
                generated: Embeddings(of: pictures, by: dino), references: Embeddings(of: subject, by: dino)
            ).value,
            style: Score.styleAlignment(generated: seen, style: Embeddings(of: style, by: clip)).value,
            text: Score.textAlignment(generated: seen, prompts: Embeddings(of: descriptions, by: clip)).value,
            verdicts: classifier?.verdicts(pictures) ?? [],
            asked: classifier == nil ? [] : scenes.map { TraitLabels(askedFor: $0) })
    }
}
