import ArgumentParser
import Hashing
import Lab

struct Sweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Learn subjects kept apart under several choices of a method's options, and print a table of what each is \
            worth.
            """
    )

    @Option(help: "The folder of all models and encoders.") var models = "models"
    @Option(help: "The model's folder among them.") var model = "pocket-infinity"
    @Option(name: .customLong("run"), help: "The run folder; goes on where an earlier run in it was stopped.")
    var folder: String
    @Option(help: "The method.") var method = "arbooth"
    @Option(
        name: .customLong("choices"), parsing: .upToNextOption,
        help: "Options as a job's JSON gives them, each a choice: {} '{\"learning_rate\":0.001}'.") var choices:
        [String]
    @OptionGroup var size: TableSize
    @Option(help: "Subjects learned under each choice.") var subjects = 4
    @Option(help: "Seeds for each.") var seeds = 1

    func run() throws {
        try OutputPlace.folder(folder)
        let run = try OptionSweep(
            models: models, model: model, folder: folder, settings: size.settings(subjects: subjects, seeds: seeds),
            method: method, choices: choices
        ) { StandardStream.errors.write($0 + "\n") }
        print(try run.run())
    }
}
