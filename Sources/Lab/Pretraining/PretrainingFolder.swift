import Backbones
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// A run folder, and the model directory a run may start from; file names are the same for all embedded models.
extension PretrainingOptions {
    private static let vocabularyName = InfinityModel.File.textTokenizer.rawValue

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

    func checkpoint(_ stage: Pretraining.Stage) -> String {
        "\(folder)/\(stage.rawValue).checkpoint.safetensors"
    }
    func isTrained(_ stage: Pretraining.Stage) -> Bool { FileManager.default.fileExists(atPath: checkpoint(stage)) }

    /// The weights in a stage's last checkpoint.
    func trained(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        try OptimizerState(path: checkpoint(stage)).values.filter { !$0.key.hasPrefix("discriminator.") }
    }

    /// What a stage made: its last checkpoint, or what the run started from, which is in `files` of the model
    /// directory.
    func result(_ stage: Pretraining.Stage, files: [String]) throws -> [String: Tensor] {
        try start == nil || isTrained(stage) ? trained(stage) : started(files: files)
    }

    /// The weights of the model the run starts from.
    func started(files: [String]) throws -> [String: Tensor] {
        try files.reduce(into: [:]) { try $0.merge(Checkpoint.tensors("\(start!)/\($1)")) { $1 } }
    }

    /// A tokenizer's weights with the decoder that was trained alone, where one was.
    func withTrainedDecoder(_ tokenizer: [String: Tensor]) throws -> [String: Tensor] {
        isTrained(.decoder) ? tokenizer.merging(try trained(.decoder)) { $1 } : tokenizer
    }
}
