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
        var table = try read()
        table.append(step: step, losses)
        try table.csv.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// What the file tells; nothing where there is none.
    /// - Throws: for one that cannot be read.
    func read() throws -> StageLosses {
        let isThere = FileManager.default.fileExists(atPath: path)
        return StageLosses(csv: isThere ? try String(contentsOfFile: path, encoding: .utf8) : "")
    }

    /// The first loss over the steps, and beside it the held-out one. The others have other units; they are in the
    /// file.
    func plot(title: String) -> Picture { ((try? read()) ?? StageLosses(csv: "")).plot(title: title) }
}
