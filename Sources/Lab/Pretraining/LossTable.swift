import Foundation
import Images

/// The losses of a pretraining, one row every so many steps: a CSV file that grows with the run, and its plot.
struct LossTable {
    let path: String

    /// Adds a row; the first one writes the names above it. Rows of this step and later ones go: a run that was killed
    /// comes to the steps after its last checkpoint a second time. Losses that begin later, an adversary's, get columns
    /// of their own behind the others, empty above.
    /// - Throws: for a table that cannot be read, which is left as it is, or cannot be written.
    func append(step: Int, _ losses: [(name: String, value: Float)]) throws {
        let text = try FileManager.default.fileExists(atPath: path) ? String(contentsOfFile: path, encoding: .utf8) : ""
        var rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        var names = rows.isEmpty ? ["step"] : rows.removeFirst()
        rows.removeAll { row in Int(row[0]).map { $0 >= step } ?? false }
        names += losses.map { Substring($0.name) }.filter { !names.contains($0) }
        let values = Dictionary(losses.map { (Substring($0.name), Substring("\($0.value)")) }) { $1 }
        rows.append(["\(step)"] + names.dropFirst().map { values[$0] ?? "" })
        let lines = [names] + rows.map { $0 + [Substring](repeating: "", count: max(0, names.count - $0.count)) }
        try lines.map { $0.joined(separator: ",") + "\n" }.joined()
            .write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The first loss over the steps, and beside it the held-out one. The others have other units; they are in the
    /// file.
    func plot(title: String) -> Picture {
        let rows = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let names = rows.first ?? []
        let series = names.indices.filter { $0 == 1 || names[$0] == HeldOutLoss.name }.map { column in
            Plot.Series(name: String(names[column]), points: LossTable.points(rows.dropFirst(), column: column))
        }
        return Plot(title: title, series: series).picture()
    }

    private static func points(_ rows: ArraySlice<[Substring]>, column: Int) -> [(x: Double, y: Double)] {
        rows.compactMap { row -> (x: Double, y: Double)? in
            guard row.count > column, let step = Double(row[0]), let value = Double(row[column]) else { return nil }
            return (x: step, y: value)
        }
    }
}
