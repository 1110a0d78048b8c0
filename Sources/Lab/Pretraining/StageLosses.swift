import Foundation
import Images

/// Losses of a stage of pretraining by step, as its table has them.
struct StageLosses {
    /// Of the columns behind the step.
    private(set) var names: [String] = []
    /// In order of step; of what a step does not tell there is no value.
    private(set) var rows: [(step: Int, values: [String: String])] = []

    /// - Parameter csv: a row for each step, below the names. Columns without a value are left out.
    init(csv: String) {
        let lines = csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        guard let header = lines.first?.dropFirst() else { return }
        rows = lines.dropFirst().compactMap { line in
            guard let step = Int(line[0]) else { return nil }
            let told = zip(header, line.dropFirst()).filter { !$0.1.isEmpty }
            return (step, Dictionary(told) { $1 })
        }
        names = header.filter { name in rows.contains { $0.values[name] != nil } }
    }

    var csv: String {
        let lines = rows.map { row in ["\(row.step)"] + names.map { row.values[$0] ?? "" } }
        return ([["step"] + names] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// Adds a row. Those of this step and later ones go. Names that are new get columns behind the others.
    mutating func append(step: Int, _ losses: [(name: String, value: Float)]) {
        rows.removeAll { $0.step >= step }
        rows.append((step, Dictionary(losses.map { ($0.name, "\($0.value)") }) { $1 }))
        names += losses.map(\.name).filter { !names.contains($0) }
    }

    /// Adds those of a further training of the stage, whose steps count on from the last one here.
    mutating func append(_ further: StageLosses) {
        let done = rows.last?.step ?? 0
        rows += further.rows.map { (done + $0.step, $0.values) }
        names += further.names.filter { !names.contains($0) }
    }

    /// The first loss over the steps, and beside it the held-out one. The others have other units.
    func plot(title: String) -> Picture {
        let series = names.enumerated().filter { $0 == 0 || $1 == HeldOutLoss.name }.map { _, name in
            Plot.Series(name: name, points: points(name))
        }
        return Plot(title: title, series: series).picture()
    }

    private func points(_ name: String) -> [(x: Double, y: Double)] {
        rows.compactMap { row in
            row.values[name].flatMap { Double($0) }.map { (x: Double(row.step), y: $0) }
        }
    }
}
