/// What a pretraining run is told: its folder (checkpoints, loss curves, sample sheets), its length, its data.
package struct PretrainingOptions: Sendable {
    var folder: String
    var steps: Int
    var batch: Int
    var learningRate: Float
    var seed: UInt64
    /// Steps between checkpoints, sheets and curves.
    var reportEvery: Int
    /// Pictures of the world on a sheet, each with what was made of it.
    var sheetPictures: Int
    /// Stops (with a checkpoint) once this many seconds have passed; a later start with the same folder goes on.
    var seconds: Double?
    /// A model directory whose weights a stage without a checkpoint starts from, instead of fresh ones.
    var start: String?
    /// Pixels on a side of the model's pictures, which are 16×16 tokens whatever their size: a multiple of 32.
    var pictureSize: Int
    /// The directory of the classifier whose features tokenizers are also held to.
    var classifier: String?
    /// The step from which a tokenizer's adversary is heard; nil trains without.
    var adversaryFrom: Int?
    /// The largest share of a scale's bits that are flipped before Infinity's transformer sees them.
    var largestFlipShare: Float
    /// The share of pictures in no style that has a name, of Chameleon's transformer.
    var mannerShare: Float

    /// From fresh weights, of pictures of 64 pixels, without classifier and adversary, with as many flips as Infinity's
    /// own, unless given; sheets have three rows.
    package init(
        folder: String, steps: Int, batch: Int, learningRate: Float, seed: UInt64, reportEvery: Int, seconds: Double?,
        start: String? = nil, pictureSize: Int = 64, classifier: String? = nil, adversaryFrom: Int? = nil,
        largestFlipShare: Float = 0.3, mannerShare: Float = 0, sheetPictures: Int = 36
    ) {
        self.start = start
        self.pictureSize = pictureSize
        self.classifier = classifier
        self.adversaryFrom = adversaryFrom
        self.largestFlipShare = largestFlipShare
        self.mannerShare = mannerShare
        self.sheetPictures = sheetPictures
        self.folder = folder
        self.steps = steps
        self.batch = batch
        self.learningRate = learningRate
        self.seed = seed
        self.reportEvery = reportEvery
        self.seconds = seconds
    }
}
