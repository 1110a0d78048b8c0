import Foundation
import Jobs

/// What a job measured, concept by concept, for people.
struct ScoreTable {
    private let rows: [JSONValue]

    /// That of a job's result; without rows where nothing was measured.
    init(of result: JSONValue?) { rows = result?["table"]?.array ?? [] }

    /// Shows it under a heading of its own, unless it has no rows.
    func show() {
        guard !rows.isEmpty else { return }
        print("\nscores")
        for line in table.lines() { print("  " + line) }
    }

    private var table: Table {
        var table = Table("concept", "method", ">pictures", "metric", ">mean", "95 %")
        for row in rows {
            guard case .object(let scores) = row["scores"] else { continue }
            for (metric, mean) in scores.sorted(by: { $0.key < $1.key }) {
                table.append(
                    row["concept"]?.string ?? "", row["method"]?.string ?? "",
                    row["pictures"]?.integer.map(String.init) ?? "", metric, Self.number(mean) ?? "",
                    Self.number(row["intervals"]?[metric]).map { "± " + $0 } ?? "")
            }
        }
        return table
    }

    private static func number(_ value: JSONValue?) -> String? { value?.double.map { String(format: "%.3f", $0) } }
}
