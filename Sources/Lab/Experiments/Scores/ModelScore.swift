import Backbones
import Engine
import Evaluation
import Foundation
import Images
import LittleWorld

/// How well a model follows prompts that training never saw, as a classifier sees it, and how well its tokenizer keeps
/// pictures.
package struct ModelScore {
    /// What is asked for.
    package enum Suite: String, CaseIterable, Sendable {
        /// One subject, something worn in every second prompt.
        case dressed
        /// Two that training never shows together; the left one shiny or glowing in every second prompt.
        case pairs

        /// The world's own pictures of the first `count` prompts, which are their captions.
        func scenes(count: Int) -> [Scene] {
            switch self {
            case .dressed: Evaluation.dressedPrompts(count: count).enumerated().map { $1.scene(index: UInt64($0)) }
            case .pairs: Evaluation.pairs(count: count)
            }
        }
    }

    /// The figures, one JSON line. Shares are 0…1.
    package struct Report: Codable {
        let `class`, colour, context, style, accessory, finish, secondClass, secondColour: Double?
        /// The share of pictures right in the class and colour of both subjects, from left to right; nil where prompts
        /// have one.
        let bothSubjects: Double?
        /// The share seen so of pictures that should be shiny, or glow, which half of the prompts of pairs ask for; nil
        /// where none does.
        let shiny, glowing: Double?
        /// The share of pictures right in every trait.
        let all: Double
        /// What the classifier gets right of the world's own pictures of the same prompts: the best that a model can be
        /// told to be.
        let ceiling: ClassifierRun.Accuracy
        /// The same of those pictures once the model's tokenizer has been through them: the best that its transformer
        /// can be told to be.
        let reconstructed: ClassifierRun.Accuracy
        /// The tokenizer's signal-to-noise ratio on pictures of individuals never seen in training, of any style, in
        /// decibels.
        let psnr: Double
        /// The same over those in styles that training shows; nil where there are none.
        let psnrKnown: Double?
        let pictures: Int
        let seconds: Double
    }

    /// How many of the evaluation prompts a model is scored by at most: those behind them are for other uses.
    package static let mostPrompts = 2000

    private let model: LoadedModel
    private let classifier: AttributeClassifier
    private let scenes: [Scene]
    private let seed: UInt64
    private let folder: String?

    /// - Parameter folder: where the contact sheets of pictures and of failures, the prompts and the confusions go; nil
    ///   writes none.
    package init(
        model: String, classifier: String, suite: Suite, prompts: Int, seed: UInt64, folder: String?
    ) throws {
        self.model = try LoadedModel(directory: model)
        self.classifier = try AttributeClassifier(directory: classifier)
        scenes = suite.scenes(count: prompts)
        self.seed = seed
        self.folder = folder
    }

    /// - Returns: the figures, and the confusions as text.
    package func run() throws -> (report: Report, table: String) {
        let start = Date()
        let truths = scenes.map { TraitLabels($0) }
        let captions = scenes.map(\.caption)
        let pictures = try model.pictures(of: captions, seed: seed)
        let verdicts = classifier.verdicts(pictures)
        let score = AttributeScore(verdicts, truths: truths)
        let figures = ClassifierRun.Accuracy(score)
        let real = scenes.painted(size: classifier.configuration.pictureSize)
        let ceiling = AttributeScore(classifier.verdicts(real), truths: truths)
        let reconstructed = AttributeScore(classifier.verdicts(model.reconstructed(real)), truths: truths)
        let reconstruction = ReconstructionScore(
            count: scenes.count, size: model.pictureSize, reconstructing: model.reconstructed)
        let table =
            """
            \(score.table())\nThe world's own pictures\n\(ceiling.table())\nThose pictures \
            reconstructed\n\(reconstructed.table())\nReconstruction\n\(reconstruction.table)
            """
        let sheet = MistakeSheet(pictures: pictures, captions: captions, truths: truths, verdicts: verdicts)
        try write(pictures, mistakes: sheet.picture(), table: table)
        let report = Report(
            class: figures.class, colour: figures.colour, context: figures.context, style: figures.style,
            accessory: figures.accessory, finish: figures.finish, secondClass: figures.secondClass,
            secondColour: figures.secondColour, bothSubjects: figures.bothSubjects, shiny: figures.shiny,
            glowing: figures.glowing, all: figures.all,
            ceiling: ClassifierRun.Accuracy(ceiling), reconstructed: ClassifierRun.Accuracy(reconstructed),
            psnr: reconstruction.decibels.rounded(digits: 2), psnrKnown: reconstruction.known?.rounded(digits: 2),
            pictures: pictures.count, seconds: Date().timeIntervalSince(start).rounded(digits: 1))
        return (report, table)
    }

    private func write(_ pictures: [Picture], mistakes: Picture?, table: String) throws {
        guard let folder else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Grid.rows(of: 25, pictures).writePNG("\(folder)/pictures.png")
        // Apart from the pictures, so that somebody who has not read them can say what is to be seen.
        try scenes.map { $0.caption + "\n" }.joined().write(
            toFile: "\(folder)/prompts.txt", atomically: true, encoding: .utf8)
        try mistakes?.writePNG("\(folder)/failures.png")
        try table.write(toFile: "\(folder)/confusions.txt", atomically: true, encoding: .utf8)
    }
}
