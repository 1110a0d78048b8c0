import ArgumentParser
import Hashing
import Lab

struct ExportModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            """
            Write a model directory (half precision) from a pretraining run's last checkpoints, with the losses of all \
            training.
            """
    )

    @Option(help: "The model that was trained.") var model = Pretraining.Model.infinity
    @Option(help: "The run folder of `pretrain`.") var folder: String
    @Option(help: "The model directory the run started from: its are the stages that the run did not train.")
    var start: String?
    @Argument(help: "The model directory to write.") var directory: String

    @Option(help: "Pixels on a side, as the run was given.") var pictureSize = 64

    func run() throws {
        try OutputPlace.folder(directory)
        let options = PretrainingOptions(
            folder: folder, steps: 0, batch: 1, learningRate: 0, seed: 1, reportEvery: 1, seconds: nil, start: start,
            pictureSize: pictureSize)
        try model.pretraining(options).export(to: directory)
    }
}
