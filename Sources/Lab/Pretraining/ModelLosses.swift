import Foundation
import Images

/// The losses of all that a model has learnt, as they lie beside its weights: stage under stage, in a table and in a
/// picture. A stage's steps count on over the runs that trained it.
struct ModelLosses {
    private static let tableName = "losses.csv"
    private static let plotName = "losses.png"

    /// In order of training; those that told no losses are left out.
    private let stages: [(name: String, losses: StageLosses)]

    /// Those of the model that a run started from, and behind them what the tables of the run's stages tell.
    /// - Parameters:
    ///   - names: the stages', in order of training.
    ///   - folder: the run's.
    ///   - start: the directory of the model it started from, which may have no table.
    /// - Throws: for a table that cannot be read.
    init(of names: [String], run folder: String, start: String? = nil) throws {
        let before = try start.map { try Self.stages(in: "\($0)/\(Self.tableName)") } ?? [:]
        stages = try names.map { name in
            var losses = before[name] ?? StageLosses(csv: "")
            losses.append(try LossTable(path: "\(folder)/\(name).losses.csv").read())
            return (name: name, losses: losses)
        }.filter { !$0.losses.rows.isEmpty }
    }

    /// Writes `losses.csv`, and `losses.png` with each stage's first loss and its held-out one; nothing where no loss
    /// was told.
    /// - Throws: where a file cannot be written.
    func write(to directory: String) throws {
        guard !stages.isEmpty else { return }
        try csv.write(toFile: "\(directory)/\(Self.tableName)", atomically: true, encoding: .utf8)
        let plots = stages.map { $0.losses.plot(title: "\($0.name), \($0.losses.rows.last!.step) steps") }
        try Grid.rows(of: 1, plots).writePNG("\(directory)/\(Self.plotName)")
    }

    /// Every stage's rows below names that are all the stages'.
    private var csv: String {
        let names = stages.reduce(into: [String]()) { names, stage in
            names += stage.losses.names.filter { !names.contains($0) }
        }
        let lines = stages.flatMap { stage in
            stage.losses.rows.map { row in [stage.name, "\(row.step)"] + names.map { row.values[$0] ?? "" } }
        }
        return ([["stage", "step"] + names] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    /// What a model's table tells of each stage; nothing where there is none.
    private static func stages(in path: String) throws -> [String: StageLosses] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        let rows = Dictionary(grouping: lines.dropFirst()) { line in String(line.prefix { $0 != "," }) }
        return rows.mapValues { rows in
            let table = (lines.prefix(1) + rows).map { line in line.drop { $0 != "," }.dropFirst() }
            return StageLosses(csv: table.joined(separator: "\n"))
        }
    }
}
