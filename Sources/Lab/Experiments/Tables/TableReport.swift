import Engine
import Evaluation
import Foundation
import Images

/// A paper's table from a run's cells: means with 95 % intervals over subjects, the paper's figures beside them, and
/// what became of its claims. Seeds of one subject are not independent of each other: each subject counts once, with
/// its mean over seeds.
struct TableReport {
    private let table: PaperTable
    private let cells: [String: [TableCell]]

    private var metrics: [Score.Metric] {
        [.dino] + (table.asksForOthers ? [.otherDINO] : []) + [.clipI, .clipT, .pres, .div]
    }

    private static let legend =
        """
        Mean ± half of its 95 % interval over subjects (published). Approach: the share of the way from the class to \
        the subject that pictures of the class have gone; in brackets cells beyond \(Drift.largestApproach), of which \
        a job would warn.
        """

    private static let legendOfTwo =
        """
        Of two in a prompt DINO and CLIP-I are of the left one alone, and DINO to others is to the other's references; \
        elsewhere it is to those of the three that are learnt with the subject.
        """

    private static let legendOfClassifier =
        """
        What the classifier sees: the shares of pictures that show the subject (its class and colour), what the prompt \
        says of place, accessory and style, and both; then both, of three prompts.
        """

    init(_ table: PaperTable, cells: [TableCell]) {
        self.table = table
        self.cells = Dictionary(grouping: cells, by: \.key.variant)
    }

    var markdown: String {
        let metrics = metrics.map { metric in (metric, key(metric)) }
        let header = ["", "n"] + metrics.map { $1 ?? $0.rawValue } + ["approach", "seconds", "parameters", "adapter"]
        let rows = table.rows.map { row in
            [row.variant.title, "\(cells[row.variant.key]?.count ?? 0)"]
                + metrics.map { metric, key in
                    cell(key.flatMap { estimate(cells[row.variant.key] ?? [], $0) }, row.published[metric])
                }
                + [approach(row.variant)] + costs(cells[row.variant.key] ?? [])
        }
        let isOfTwo = table.rows.contains(where: \.variant.isOfTwo)
        let legend = isOfTwo ? "\(TableReport.legend) \(TableReport.legendOfTwo)" : TableReport.legend
        return "## \(table.title)\n\n" + legend + "\n\n"
            + TableReport.lines([header, header.map { _ in "---" }] + rows) + "\n" + classified + claims
    }

    /// What the classifier sees on the rows' pictures; nothing where it has seen none.
    private var classified: String {
        let columns = PromptAccuracy.columns
        let rows = table.rows.compactMap { row -> [String]? in
            let seen = (cells[row.variant.key] ?? []).filter { $0.classifier != nil }
            if seen.isEmpty { return nil }
            return [row.variant.title, "\(seen.count)"] + columns.map { cell(estimate(seen, $0.key), nil) }
        }
        guard !rows.isEmpty else { return "" }
        let header = ["", "n"] + columns.map(\.title)
        return TableReport.legendOfClassifier + "\n\n"
            + TableReport.lines([header, header.map { _ in "---" }] + rows) + "\n"
    }

    /// Likeness and prompts over what rows differ in.
    func plot(_ curve: PaperTable.Curve) -> Plot {
        let series = [Score.Metric.dino, .clipI, .clipT].map {
            Plot.Series(name: $0.rawValue, points: points(of: curve, $0))
        }
        return Plot(title: curve.title, series: series)
    }

    /// Means over subjects; without the rows that have no cells.
    func points(of curve: PaperTable.Curve, _ metric: Score.Metric) -> [(x: Double, y: Double)] {
        guard let key = key(metric) else { return [] }
        return curve.points.compactMap { x, variant in
            estimate(cells[variant.key] ?? [], key).map { (x: Double(x), y: $0.mean) }
        }
    }

    private var claims: String {
        guard !table.claims.isEmpty else { return "" }
        return TableReport.lines(
            [["claim", "metric", "rows", "difference", "here"], Array(repeating: "---", count: 5)]
                + table.claims.map(line)) + "\n"
    }

    /// How far the class went towards the subject: PRES beside that of the untuned model and that of the references.
    private func approach(_ variant: TableVariant) -> String {
        guard let untuned = variant.untuned, let pres = key(.pres), let dino = key(.dino) else { return "" }
        func value(_ variant: TableVariant, _ key: String, _ cell: TableCell) -> Double? {
            cells[variant.key]?.first { ($0.key.subject, $0.key.seed) == (cell.key.subject, cell.key.seed) }?.scores[
                key]
        }
        let shares = (cells[variant.key] ?? []).compactMap { cell -> Double? in
            guard let after = cell.scores[pres], let before = value(untuned, pres, cell),
                let ceiling = value(.references, dino, cell)
            else { return nil }
            return Drift.approach(from: before, to: after, ceiling: ceiling)
        }
        guard !shares.isEmpty else { return "" }
        let warned = shares.count { $0 > Drift.largestApproach }
        return String(format: "%.2f", shares.reduce(0, +) / Double(shares.count)) + " (\(warned) of \(shares.count))"
    }

    /// Seconds of learning, their median for the machine may have had other work; numbers that learned; the adapter's
    /// size.
    private func costs(_ cells: [TableCell]) -> [String] {
        let times = cells.compactMap(\.seconds).sorted()
        let seconds = times.isEmpty ? nil : (times[times.count / 2] + times[(times.count - 1) / 2]) / 2
        let parameters = mean(cells) { $0.parameters.map(Double.init) }
        let bytes = mean(cells) { $0.adapterBytes.map(Double.init) }
        return [
            seconds.map { "\(Int($0.rounded())) s" } ?? "", parameters.map(TableReport.count) ?? "",
            bytes.map { TableReport.count($0) + "B" } ?? "",
        ]
    }

    /// The metric as it was measured here; DIV may go by its stand-in.
    private func key(_ metric: Score.Metric) -> String? {
        let keys = Set(cells.values.flatMap { $0.flatMap(\.scores.keys) }).sorted()
        let names = metric == .div ? [Score.Metric.div, .divDINO] : [metric]
        return names.lazy.compactMap { name in keys.first { $0.hasPrefix(Score.key(name) + ".") } }.first
    }

    private func estimate(_ cells: [TableCell], _ key: String) -> MeanEstimate? {
        let means = TableReport.perSubject(cells, key)
        return means.isEmpty ? nil : MeanEstimate(means.sorted { $0.key < $1.key }.map(\.value))
    }

    /// Those whose subject and seed others have too: a run that is not done yet has seeds of one row that the other
    /// lacks.
    private static func beside(_ cells: [TableCell], _ others: [TableCell]) -> [TableCell] {
        cells.filter { cell in others.contains { ($0.key.subject, $0.key.seed) == (cell.key.subject, cell.key.seed) } }
    }

    /// The mean over seeds of every subject.
    private static func perSubject(_ cells: [TableCell], _ key: String) -> [Int: Double] {
        Dictionary(grouping: cells.filter { $0.scores[key] != nil }, by: \.key.subject).mapValues { some in
            some.reduce(0) { $0 + $1.scores[key]! } / Double(some.count)
        }
    }

    private func mean(_ cells: [TableCell], _ value: (TableCell) -> Double?) -> Double? {
        let values = cells.compactMap(value)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    private func line(_ claim: PaperTable.Claim) -> [String] {
        let verdict = verdict(claim)
        let difference = verdict.difference.map { TableReport.text($0) } ?? "–"
        return [
            claim.statement, key(claim.metric) ?? claim.metric.rawValue,
            "\(claim.greater.title) > \(claim.lesser.title)", difference, verdict.word,
        ]
    }

    /// Whether a claim's direction is seen: the 95 % interval of the difference within subjects lies on one side of
    /// zero.
    func verdict(_ claim: PaperTable.Claim) -> (word: String, difference: MeanEstimate?) {
        guard let key = key(claim.metric), let greater = cells[claim.greater.key], let lesser = cells[claim.lesser.key]
        else { return ("not measured", nil) }
        let left = TableReport.perSubject(TableReport.beside(greater, lesser), key)
        let right = TableReport.perSubject(TableReport.beside(lesser, greater), key)
        let differences = left.keys.sorted().compactMap { subject in right[subject].map { left[subject]! - $0 } }
        guard !differences.isEmpty else { return ("not measured", nil) }
        let difference = MeanEstimate(differences)
        guard let half = difference.halfWidth, abs(difference.mean) > half else { return ("within noise", difference) }
        return (difference.mean > 0 ? "holds" : "does not hold", difference)
    }

    private func cell(_ estimate: MeanEstimate?, _ published: Double?) -> String {
        (estimate.map(TableReport.text) ?? "–") + (published.map { String(format: " (%.3f)", $0) } ?? "")
    }

    private static func text(_ estimate: MeanEstimate) -> String {
        String(format: "%.3f", estimate.mean) + (estimate.halfWidth.map { String(format: " ± %.3f", $0) } ?? "")
    }

    /// 1 234 567 as 1.2 M.
    private static func count(_ value: Double) -> String {
        value >= 1e6
            ? String(format: "%.1f M", value / 1e6)
            : value >= 1e3 ? String(format: "%.1f k", value / 1e3) : String(Int(value)) + " "
    }

    private static func lines(_ rows: [[String]]) -> String {
        rows.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }
}
