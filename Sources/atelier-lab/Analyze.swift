import ArgumentParser
import Hashing
import Lab

struct Analyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look into a next-scale model as ARBooth's paper does: numbers and plots in a folder.",
        subcommands: [WeightsOf.self, Scales.self])

    struct WeightsOf: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "weights",
            abstract: "Tune all weights on one subject and show how much each kind of layer changed, block by block.")

        @Option(help: "The model's directory.") var model: String
        @Option(help: "The folder for weights.csv and weights.png.") var output: String
        @Option(help: "Training steps.") var iterations = 600

        func run() throws {
            try OutputPlace.folder(output)
            try ModelAnalysis(model: model, folder: output).weights(iterations: iterations)
        }
    }

    struct Scales: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Replace the later scales of pictures by noise's and show how much the decoded pictures change, scale \
                by scale.
                """
        )

        @Option(help: "The model's directory.") var model: String
        @Option(help: "The folder for scales.csv, scales.png and scales-pictures.png.") var output: String
        @Option(help: "Held-out pictures.") var pictures = 64

        func validate() throws {
            guard 1...1000 ~= pictures else { throw ValidationError("--pictures \(pictures): 1 to 1000 are allowed") }
        }

        func run() throws {
            try OutputPlace.folder(output)
            try ModelAnalysis(model: model, folder: output).scales(pictures: pictures)
        }
    }
}
