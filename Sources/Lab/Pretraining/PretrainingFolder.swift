import Backbones
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// A run folder, and the model directory a run may start from; file names are the same for all embedded models.
extension PretrainingOptions {
    static let vocabularyName = InfinityModel.File.textTokenizer.rawValue
    static let configurationName = InfinityModel.File.configuration.rawValue

    var vocabularyFile: String { "\(folder)/\(PretrainingOptions.vocabularyName)" }

    /// The run's words: those of the model it starts from, or all of Little World's.
    func writeVocabulary() throws {
        if FileManager.default.fileExists(atPath: vocabularyFile) { return }
        let words = try start.map {
            try Data(contentsOf: URL(fileURLWithPath: "\($0)/\(PretrainingOptions.vocabularyName)"))
        }
        try (words ?? UnigramTokenizer.file(words: LittleWorld.vocabulary)).write(
            to: URL(fileURLWithPath: vocabularyFile))
    }

    func words() throws -> UnigramTokenizer { try UnigramTokenizer(path: vocabularyFile) }

    func checkpoint(_ stage: Pretraining.Stage) -> String {
        "\(folder)/\(stage.rawValue).checkpoint.safetensors"
    }
    func isTrained(_ stage: Pretraining.Stage) -> Bool { FileManager.default.fileExists(atPath: checkpoint(stage)) }

    /// Whether a stage finds a transformer that has learnt to draw.
    var hasTransformer: Bool { start != nil || isTrained(.transformer) }

    /// The weights in a stage's last checkpoint.
    func trained(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        try OptimizerState(path: checkpoint(stage)).values.filter { !$0.key.hasPrefix("discriminator.") }
    }

    /// The weights of the model the run starts from.
    func started(files: [String]) throws -> [String: Tensor] {
        try files.reduce(into: [:]) { try $0.merge(Checkpoint.tensors("\(start!)/\($1)")) { $1 } }
    }
}
