import ArgumentParser
import Hashing
import Lab

extension EncoderTraining.Kind: ExpressibleByArgument {}

struct Encoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train and score the encoders that metrics are measured with, pocket-clip and pocket-dino.",
        subcommands: [Train.self, Export.self, Score.self])

    struct Train: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Train an encoder from nothing on Little World: clip on captions, dino by self-distillation. Resumes \
                from the folder's last checkpoint.
                """
        )

        @Argument(help: "Which encoder.") var kind: EncoderTraining.Kind
        @Option(name: .customLong("run"), help: "The run folder: checkpoint, loss curve, sheet of neighbours.")
        var folder: String
        @Option(help: "Steps in all.") var steps = 4000
        @Option(help: "Pictures per step.") var batch = 64
        @Option(help: "Peak learning rate.") var learningRate: Float = 1e-3
        @Option(help: "Seed of weights and data.") var seed: UInt64 = 21
        @Option(help: "Steps between checkpoints and sheets.") var reportEvery = 250
        @Option(help: "Stop after this many seconds, with a checkpoint.") var seconds: Double?

        func validate() throws {
            try requireAtLeastOne(["steps": steps, "batch": batch, "report-every": reportEvery])
        }

        func run() throws {
            try OutputPlace.folder(folder)
            try EncoderTraining(
                options: PretrainingOptions(
                    folder: folder, steps: steps, batch: batch, learningRate: learningRate, seed: seed,
                    reportEvery: reportEvery, seconds: seconds)
            ).train(kind)
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Write an encoder's directory (half precision) from a run's last checkpoint, and print what it finds \
                of held-out pictures.
                """
        )

        @Argument(help: "Which encoder.") var kind: EncoderTraining.Kind
        @Option(name: .customLong("run"), help: "The run folder of `encoder train`.") var folder: String
        @Option(help: "The directory to write; its name becomes the encoder's.") var output: String

        func run() throws {
            try OutputPlace.folder(output)
            let figures = try EncoderTraining.export(kind, run: folder, to: output)
            try printLine(figures)
        }
    }

    struct Score: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what an encoder finds of held-out pictures, as `encoder export` does: shares, 0 to 1.")

        @Argument(help: "Which encoder.") var kind: EncoderTraining.Kind
        @Option(help: "The encoder's directory; models/pocket-clip or models/pocket-dino unless given.")
        var model: String?
        @Option(
            help: """
                Write a sheet to this PNG file: held-out pictures, and beside each those that the encoder holds for \
                nearest; as training does.
                """)
        var sheet: String?

        func run() throws {
            if let sheet { try OutputPlace.file(sheet) }
            try printLine(
                EncoderFigures.figures(kind, directory: model ?? "models/pocket-\(kind.rawValue)", sheet: sheet))
        }
    }
}
