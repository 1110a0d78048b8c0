import ArgumentParser
import Hashing
import Lab

extension Pretraining.Stage: ExpressibleByArgument {}
extension Pretraining.Model: ExpressibleByArgument {}

struct Pretrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Train an embedded model on Little World, from nothing or from a model; resumes from the folder's last \
            checkpoint.
            """
    )

    @Argument(
        help: """
            The stage: tokenizer first, then transformer; decoder makes pictures better on the same tokens, \
            pocket-infinity's on those it draws too.
            """)
    var stage: Pretraining.Stage
    @Option(help: "The model to train.") var model = Pretraining.Model.infinity
    @Option(help: "The run folder: checkpoints, loss curves, sample sheets.") var folder: String
    @Option(help: "Steps in all; 0 learns nothing, and tells a transformer's loss on held-out captions.")
    var steps = 4000
    @Option(help: "Pictures per step.") var batch = 16
    @Option(help: "Peak learning rate.") var learningRate: Float = 1e-3
    @Option(help: "Seed of weights and data.") var seed: UInt64 = 1
    @Option(help: "Steps between checkpoints and sheets.") var reportEvery = 250
    @Option(help: "Stop after this many seconds, with a checkpoint.") var seconds: Double?
    @Option(help: "Pixels on a side of the pictures, a multiple of 32; they are 16×16 tokens whatever their size.")
    var pictureSize = 64
    @Option(help: "Tokenizers: hold pictures to this classifier's features too.") var classifier: String?
    @Option(help: "Tokenizers: the step from which a patch discriminator is heard; none unless given.")
    var adversaryFrom: Int?
    @Option(
        help: "pocket-infinity's transformer: flip up to this share of a scale's bits before later scales see them.")
    var largestFlipShare: Float = 0.3
    @Option(
        help: "pocket-chameleon's transformer: the share of pictures in styles without a name, none twice the same.")
    var mannerShare: Float = 0
    @Option(help: "Start from this model directory's weights instead of fresh ones.") var start: String?

    func validate() throws {
        guard pictureSize > 0, pictureSize.isMultiple(of: 32) else {
            throw ValidationError("--picture-size \(pictureSize): a multiple of 32 is allowed: 64, 96, 128")
        }
        guard steps >= 0 else { throw ValidationError("--steps \(steps): must be at least 0") }
        guard 0...0.5 ~= largestFlipShare else {
            throw ValidationError("--largest-flip-share \(largestFlipShare): 0 to 0.5 are allowed")
        }
        guard 0...1 ~= mannerShare else {
            throw ValidationError("--manner-share \(mannerShare): 0 to 1 are allowed")
        }
        try requireAtLeastOne(["batch": batch, "report-every": reportEvery])
    }

    func run() throws {
        try OutputPlace.folder(folder)
        let options = PretrainingOptions(
            folder: folder, steps: steps, batch: batch, learningRate: learningRate, seed: seed,
            reportEvery: reportEvery, seconds: seconds,
            start: start, pictureSize: pictureSize, classifier: classifier, adversaryFrom: adversaryFrom,
            largestFlipShare: largestFlipShare, mannerShare: mannerShare)
        try model.pretraining(options).run(stage)
    }
}
