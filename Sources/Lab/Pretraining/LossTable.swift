import Foundation
import Images

/// The losses of a pretraining, one row every so many steps: a CSV file that grows with the run, and its plot.
struct LossTable {
    let path: String

    /// Adds a row; the first one writes the names above it.
    func append(step: Int, _ losses: [(name: String, value: Float)]) throws {
        let header = "step," + losses.map(\.name).joined(separator: ",") + "\n"
        let line = "\(step)," + losses.map { String($0.value) }.joined(separator: ",") + "\n"
        if !FileManager.default.fileExists(atPath: path) {
            try header.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
    }

    /// The first loss over the steps. The others have other units; they are in the file.
    func plot(title: String) -> Picture {
        let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
        let name = lines.first.map { $0.split(separator: ",") }?.dropFirst().first ?? "loss"
        return Plot(
            title: title, series: [Plot.Series(name: String(name), points: LossTable.points(lines.dropFirst()))]
        ).picture()
    }

    /// A run that was killed writes the steps after its last checkpoint a second time: the later row counts.
    private static func points(_ rows: ArraySlice<Substring>) -> [(x: Double, y: Double)] {
        let pairs = rows.compactMap { row -> (Double, Double)? in
            let cells = row.split(separator: ",")
            guard cells.count > 1, let step = Double(cells[0]), let value = Double(cells[1]) else { return nil }
            return (step, value)
        }
        return Dictionary(pairs) { $1 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
