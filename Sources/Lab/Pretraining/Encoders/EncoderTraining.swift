import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains the embedded encoders from nothing on Little World, and writes them as Hugging Face lays such models out.
package struct EncoderTraining {
    /// Whose architecture and training it is; also the name of the checkpoint.
    package enum Kind: String, CaseIterable, Sendable { case clip, dino }

    let options: PretrainingOptions

    /// The run folder's checkpoint, if there is one, goes on.
    package init(options: PretrainingOptions) { self.options = options }

    /// Trains from the last checkpoint in the run folder, or from nothing.
    package func train(_ kind: Kind) throws {
        let stage: any PretrainingStage
        switch kind {
        case .clip:
            let weights = Weights(.fresh(seed: options.seed))
            stage = CLIPTraining(
                encoder: try EncoderTraining.clip(run: options.folder, weights), weights: weights, options: options)
        case .dino: stage = DINOTraining(PocketEncoders.dino, PocketEncoders.selfDistillation, options: options)
        }
        try Pretraining.computing { try PretrainingRun(options: options, stage: stage).run() }
    }

    private static func clip(run folder: String, _ weights: Weights) throws -> CLIPEncoder {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = EncoderFile.tokenizer.path(in: folder)
        if !FileManager.default.fileExists(atPath: path) {
            try CLIPTokenizer.file(words: LittleWorld.vocabulary).write(to: URL(fileURLWithPath: path))
        }
        let tokenizer = try CLIPTokenizer(path: path)
        return CLIPEncoder(
            name: "pocket-clip", model: CLIPModel(PocketEncoders.clip(tokenizer: tokenizer), weights),
            tokenizer: tokenizer)
    }

    /// Writes the encoder of a run's last checkpoint, half precision, and its losses: of DINO the teacher.
    /// - Returns: what it finds of held-out pictures.
    package static func export(_ kind: Kind, run folder: String, to directory: String) throws -> [String: Double] {
        let state = try OptimizerState(path: "\(folder)/\(kind.rawValue).checkpoint.safetensors")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        switch kind {
        case .clip:
            let words = try Data(contentsOf: URL(fileURLWithPath: EncoderFile.tokenizer.path(in: folder)))
            try words.write(to: URL(fileURLWithPath: EncoderFile.tokenizer.path(in: directory)))
            let tokenizer = try CLIPTokenizer(path: EncoderFile.tokenizer.path(in: directory))
            try write(PocketEncoders.clip(tokenizer: tokenizer), state.values, to: directory)
        case .dino: try write(PocketEncoders.dino, DINOTeacher.model(in: state.tensors), to: directory)
        }
        try ModelLosses(of: [kind.rawValue], run: folder).write(to: directory)
        return try EncoderFigures.figures(kind, directory: directory)
    }

    private static func write(_ configuration: some Encodable, _ weights: [String: Tensor], to directory: String) throws
    {
        try Safetensors.write(weights, to: EncoderFile.weights.path(in: directory), precision: .half)
        try configuration.writeConfiguration(to: EncoderFile.configuration.path(in: directory))
        try ModelFolder.sealAnew(directory)
    }
}
