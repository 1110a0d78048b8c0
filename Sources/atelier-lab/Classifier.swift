import ArgumentParser
import Hashing
import Lab

extension ModelScore.Suite: ExpressibleByArgument {}

struct Classifier: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train the classifier of pictures of Little World, and score a model with it.",
        subcommands: [Train.self, Export.self, Score.self])

    struct Train: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Train the classifier from nothing on Little World's labels; resumes from the folder's last checkpoint."
        )

        @Option(name: .customLong("run"), help: "The run folder: checkpoint, loss curve, sheet of mistakes.")
        var folder: String
        @Option(help: "Steps in all.") var steps = 2400
        @Option(help: "Pictures per step.") var batch = 32
        @Option(help: "Peak learning rate.") var learningRate: Float = 1.5e-3
        @Option(help: "Seed of weights and data.") var seed: UInt64 = 11
        @Option(help: "Steps between checkpoints and sheets.") var reportEvery = 400
        @Option(help: "Stop after this many seconds, with a checkpoint.") var seconds: Double?

        func validate() throws {
            try requireAtLeastOne(["steps": steps, "batch": batch, "report-every": reportEvery])
        }

        func run() throws {
            try OutputPlace.folder(folder)
            try ClassifierRun(
                options: PretrainingOptions(
                    folder: folder, steps: steps, batch: batch, learningRate: learningRate, seed: seed,
                    reportEvery: reportEvery, seconds: seconds)
            ).train()
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Write a classifier's directory (half precision) from a run's last checkpoint, and print what it gets \
                right of held-out pictures.
                """
        )

        @Option(name: .customLong("run"), help: "The run folder of `classifier train`.") var folder: String
        @Option(help: "The directory to write.") var output: String

        func run() throws {
            try OutputPlace.folder(output)
            let (accuracy, table) = try ClassifierRun.export(run: folder, to: output)
            try Classifier.show(accuracy, table: table)
        }
    }

    struct Score: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Draw prompts that training never saw and classify the pictures: shares right, the classifier's \
                ceiling, the tokenizer's PSNR.
                """
        )

        @Option(help: "The model's directory.") var model: String
        @Option(help: "The classifier's directory.") var classifier: String
        @Option(
            help: """
                What prompts are of. dressed: one subject, something worn in every second; pairs: two that training \
                never shows together, the left one shiny or glowing in every second.
                """)
        var suite = ModelScore.Suite.dressed
        @Option(help: "How many of the evaluation prompts, and of the held-out pictures for PSNR.") var prompts = 500
        @Option(help: "Seed of the pictures.") var seed: UInt64 = 1
        @Option(help: "Write all pictures, a sheet of the failures and the confusions into this folder.") var output:
            String?

        func validate() throws {
            guard 1...ModelScore.mostPrompts ~= prompts else {
                throw ValidationError("--prompts \(prompts): 1 to \(ModelScore.mostPrompts) are allowed")
            }
        }

        func run() throws {
            if let output { try OutputPlace.folder(output) }
            let (report, table) = try ModelScore(
                model: model, classifier: classifier, suite: suite, prompts: prompts, seed: seed, folder: output
            ).run()
            try Classifier.show(report, table: table)
        }
    }

    /// One JSON line for programs, the confusions beside it for people.
    private static func show(_ figures: some Encodable, table: String) throws {
        StandardStream.errors.write(table)
        try printLine(figures)
    }
}
