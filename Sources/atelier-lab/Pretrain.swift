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
    @Option(help: "Tokenizers, decoders: hold pictures to this classifier's features too.") var classifier: String?
    @Option(help: "Tokenizers, decoders: the step from which a patch discriminator is heard; none unless given.")
    var adversaryFrom: Int?
    @Option(
        help: """
            pocket-infinity's transformer: flip up to this share of a scale's bits before later scales see them; 0.3 \
            unless given.
            """)
    var largestFlipShare: Float?
    @Option(
        help: """
            pocket-chameleon's transformer: the share of pictures in styles without a name, none twice the same; 0 \
            unless given.
            """)
    var mannerShare: Float?
    @Option(help: "Start from this model directory's weights instead of fresh ones.") var start: String?

    func validate() throws {
        guard pictureSize > 0, pictureSize.isMultiple(of: 32) else {
            throw ValidationError("--picture-size \(pictureSize): a multiple of 32 is allowed: 64, 96, 128")
        }
        guard steps >= 0 else { throw ValidationError("--steps \(steps): must be at least 0") }
        if let largestFlipShare, !(0...0.5 ~= largestFlipShare) {
            throw ValidationError("--largest-flip-share \(largestFlipShare): 0 to 0.5 are allowed")
        }
        if let mannerShare, !(0...1 ~= mannerShare) {
            throw ValidationError("--manner-share \(mannerShare): 0 to 1 are allowed")
        }
        try requireAtLeastOne(["batch": batch, "report-every": reportEvery])
        try refuseUnreadOptions()
    }

    /// Refuses what is given and this stage of this model would never read.
    private func refuseUnreadOptions() throws {
        let (isTransformer, pictures) = (stage == .transformer, "the stages tokenizer and decoder")
        let options: [(name: String, isGiven: Bool, isRead: Bool, place: String)] = [
            ("classifier", classifier != nil, !isTransformer, pictures),
            ("adversary-from", adversaryFrom != nil, !isTransformer, pictures),
            (
                "largest-flip-share", largestFlipShare != nil, isTransformer && model == .infinity,
                "pocket-infinity's transformer"
            ),
            (
                "manner-share", mannerShare != nil, isTransformer && model == .chameleon,
                "pocket-chameleon's transformer"
            ),
        ]
        for option in options where option.isGiven && !option.isRead {
            throw ValidationError(
                "--\(option.name): \(model.rawValue)'s \(stage.rawValue) does not read it; allowed for \(option.place)")
        }
    }

    func run() throws {
        try OutputPlace.folder(folder)
        let options = PretrainingOptions(
            folder: folder, steps: steps, batch: batch, learningRate: learningRate, seed: seed,
            reportEvery: reportEvery, seconds: seconds,
            start: start, pictureSize: pictureSize, classifier: classifier, adversaryFrom: adversaryFrom,
            largestFlipShare: largestFlipShare ?? 0.3, mannerShare: mannerShare ?? 0)
        try model.pretraining(options).run(stage)
    }
}
