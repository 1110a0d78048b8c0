import ArgumentParser
import Hashing
import Lab

struct Tables: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Rerun the papers' tables on the installed models and print them. Goes on where an earlier run in the same \
            folder was stopped.
            """,
        discussion: """
            Where the models' folder has `classifier`, a second table says in which share of the pictures it sees the \
            subject and what the prompt says. It looks at pictures of cells of before, too.
            """
    )

    @Option(help: "The folder of all models and encoders.") var models = "models"
    @Option(name: .customLong("run"), help: "The run folder: cells.jsonl, tables.md, pictures.") var folder: String
    @Option(parsing: .upToNextOption, help: "Which tables: \(ExperimentTables.names.joined(separator: ", ")).")
    var tables = ExperimentTables.names
    @Option(
        parsing: .upToNextOption,
        help: "Fill these rows alone, by their names in cells.jsonl; what was filled before stands in the tables, too.")
    var rows: [String] = []
    @Option(help: "Held-out subjects.") var subjects = 6
    @Option(help: "Seeds for each.") var seeds = 3
    @OptionGroup var size: TableSize

    func validate() throws {
        for name in tables where !ExperimentTables.names.contains(name) {
            throw ValidationError("--tables \(name): allowed are \(ExperimentTables.names.joined(separator: ", "))")
        }
        let allowed = ExperimentTables.rows(of: tables)
        for name in rows where !allowed.contains(name) {
            throw ValidationError("--rows \(name): allowed are \(allowed.joined(separator: ", "))")
        }
    }

    func run() throws {
        try OutputPlace.folder(folder)
        let run = try ExperimentTables(
            models: models, folder: folder, settings: try size.settings(subjects: subjects, seeds: seeds),
            names: tables, rows: rows.isEmpty ? nil : rows
        ) {
            StandardStream.errors.write($0 + "\n")
        }
        print(try run.run())
    }
}
