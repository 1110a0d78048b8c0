import Evaluation
import Foundation
import Hashing
import Layers
import LittleWorld
import Tensors

/// Trains the judge on Little World, and writes it as a directory.
package struct Judging {
    /// The shares of right verdicts, 0…1, a trait; `all` is the share of pictures right in every trait.
    package struct Accuracy: Codable {
        let all: Double
        let `class`, colour, context, style: Double?

        init(_ judgement: Judgement) {
            all = judgement.whollyRight.rounded(digits: 4)
            `class` = judgement.accuracy(.subjectClass)?.rounded(digits: 4)
            colour = judgement.accuracy(.colour)?.rounded(digits: 4)
            context = judgement.accuracy(.context)?.rounded(digits: 4)
            style = judgement.accuracy(.style)?.rounded(digits: 4)
        }
    }

    let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    /// Trains from the last checkpoint in the run folder, or from nothing.
    package func train() throws {
        let judge = try PictureJudge(.pocket, .fresh(seed: options.seed))
        try MatrixPrecision.$current.withValue(.bfloat16) {
            try PretrainingRun(options: options, stage: JudgeTraining(judge: judge, options: options)).run()
        }
    }

    /// Writes the judge of a run's last checkpoint, half precision, and judges it.
    /// - Returns: what it gets right of `count` pictures of individuals never seen in training, and its confusions as
    ///   text.
    package static func export(
        run folder: String, to directory: String, count: Int = 2000
    ) throws -> (accuracy: Accuracy, table: String) {
        let state = try OptimizerState(path: "\(folder)/judge.checkpoint.safetensors")
        try PictureJudge.write(state.values, .pocket, to: directory)
        try ChecksumFile.write(in: directory)
        let judge = try PictureJudge(directory: directory)
        let scenes = HeldOutScenes.known(count: count)
        let judgement = Judgement(
            judge.verdicts(scenes.painted(size: judge.configuration.pictureSize)),
            truths: scenes.map { TraitLabels($0) })
        return (Accuracy(judgement), judgement.table())
    }
}

extension Double {
    func rounded(digits: Int) -> Double {
        let factor = pow(10, Double(digits))
        return (self * factor).rounded() / factor
    }
}
