import ArgumentParser
import Foundation
import Workers

struct Tables: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rerun the papers' tables on the installed models and print them. Goes on where an earlier run in the same folder was stopped.")

    @Option(help: "The folder of all models and encoders.") var models = "models"
    @Option(name: .customLong("run"), help: "The run folder: cells.jsonl, tables.md, pictures.") var folder: String
    @Option(parsing: .upToNextOption, help: "Which tables: \(ExperimentTables.names.joined(separator: ", ")).") var tables = ExperimentTables.names
    @Option(help: "Held-out subjects.") var subjects = 6
    @Option(help: "Seeds for each.") var seeds = 3
    @Option(help: "Prompts of Little World's suite.") var prompts = 10
    @Option(help: "Pictures of each prompt; DIV needs two.") var picturesPerPrompt = 4
    @Option(help: "Pictures of the class prompt for PRES.") var classPictures = 16
    @Option(help: "Training steps of every method instead of its own number.") var iterations: Int?
    @Option(help: "CLIP's folder among the models.") var clip = "pocket-clip"
    @Option(help: "DINO's folder among the models.") var dino = "pocket-dino"

    func validate() throws {
        let limits = [
            ("subjects", subjects, 1...TableSettings.largestSubjects), ("seeds", seeds, 1...100), ("prompts", prompts, 1...TableSettings.largestPrompts),
            ("pictures-per-prompt", picturesPerPrompt, 1...16), ("class-pictures", classPictures, 0...256), ("iterations", iterations ?? 1, 1...20_000),
        ]
        for (name, value, range) in limits where !range.contains(value) {
            throw ValidationError("--\(name) \(value): \(range.lowerBound) to \(range.upperBound) are allowed")
        }
        for name in tables where !ExperimentTables.names.contains(name) {
            throw ValidationError("--tables \(name): allowed are \(ExperimentTables.names.joined(separator: ", "))")
        }
    }

    func run() throws {
        let settings = TableSettings(
            subjects: subjects, seeds: seeds, prompts: prompts, picturesPerPrompt: picturesPerPrompt, classPictures: classPictures,
            iterations: iterations, clip: clip, dino: dino)
        let run = try ExperimentTables(models: models, folder: folder, settings: settings, names: tables) {
            FileHandle.standardError.write(Data(($0 + "\n").utf8))
        }
        print(try run.run())
    }
}
