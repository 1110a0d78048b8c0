import Catalogue
import Engine
import Evaluation
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains the classifier on Little World, and writes it as a directory.
package struct ClassifierRun {
    /// The shares of right verdicts, 0…1, a trait; `all` is the share of pictures right in every trait.
    package struct Accuracy: Codable {
        let all: Double
        let `class`, colour, context, style, accessory, finish, secondClass, secondColour: Double?
        /// Of pictures with two subjects, those right in the class and colour of both; nil where there is none.
        let bothSubjects: Double?
        /// Of pictures that should be shiny, or glow, those seen so; nil where none should.
        let shiny, glowing: Double?

        init(_ score: AttributeScore) {
            all = score.whollyRight.rounded(digits: 4)
            `class` = score.accuracy(.subjectClass)?.rounded(digits: 4)
            colour = score.accuracy(.colour)?.rounded(digits: 4)
            context = score.accuracy(.context)?.rounded(digits: 4)
            style = score.accuracy(.style)?.rounded(digits: 4)
            accessory = score.accuracy(.accessory)?.rounded(digits: 4)
            finish = score.accuracy(.finish)?.rounded(digits: 4)
            shiny = score.accuracy(.finish, of: Finish.shiny.rawValue)?.rounded(digits: 4)
            glowing = score.accuracy(.finish, of: Finish.glowing.rawValue)?.rounded(digits: 4)
            secondClass = score.accuracy(.secondClass)?.rounded(digits: 4)
            secondColour = score.accuracy(.secondColour)?.rounded(digits: 4)
            bothSubjects = score.bothSubjectsRight?.rounded(digits: 4)
        }
    }

    let options: PretrainingOptions

    /// The run folder's checkpoint, if there is one, goes on.
    package init(options: PretrainingOptions) { self.options = options }

    /// Trains from the last checkpoint in the run folder, or from nothing.
    package func train() throws {
        let classifier = try AttributeClassifier(.pocket, .fresh(seed: options.seed))
        try Pretraining.computing {
            try PretrainingRun(options: options, stage: ClassifierTraining(classifier: classifier, options: options))
                .run()
        }
    }

    /// Writes the classifier of a run's last checkpoint, half precision, with its losses, and scores it.
    /// - Returns: what it gets right of 2000 pictures of individuals never seen in training, and its confusions.
    package static func export(run folder: String, to directory: String) throws -> (accuracy: Accuracy, table: String) {
        let state = try OptimizerState(path: "\(folder)/classifier.checkpoint.safetensors")
        try AttributeClassifier.write(state.values, .pocket, to: directory)
        try ModelLosses(of: ["classifier"], run: folder).write(to: directory)
        try ModelFolder.sealAnew(directory)
        let classifier = try AttributeClassifier(directory: directory)
        let scenes = HeldOutScenes.known(count: 2000)
        let score = AttributeScore(
            classifier.verdicts(scenes.painted(size: classifier.configuration.pictureSize)),
            truths: scenes.map { TraitLabels($0) })
        return (Accuracy(score), score.table())
    }
}
