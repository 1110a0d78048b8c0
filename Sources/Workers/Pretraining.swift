import Backbones
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains the embedded model from nothing on Little World, in two stages, and writes it as a model directory.
package struct Pretraining {
    package enum Stage: String, CaseIterable, Sendable { case tokenizer, transformer }

    let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    private var vocabularyFile: String { "\(options.folder)/\(InfinityModel.File.textTokenizer.rawValue)" }

    /// Runs a stage from its last checkpoint in the run folder; the transformer's starts from the tokenizer's result there.
    package func run(_ stage: Stage) throws {
        Storage.keepFreedMemory()
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: vocabularyFile) {
            try UnigramTokenizer.file(words: LittleWorld.vocabulary).write(to: URL(fileURLWithPath: vocabularyFile))
        }
        try MatrixPrecision.$current.withValue(.bfloat16) {
            switch stage {
            case .tokenizer:
                let model = try model(tokenizer: .fresh(seed: options.seed))
                try PretrainingRun(options: options, stage: TokenizerPretraining(model: model, options: options)).run()
            case .transformer:
                let model = try model(tokenizer: .checkpoint(trained(.tokenizer)))
                try PretrainingRun(options: options, stage: TransformerPretraining(model: model, options: options)).run()
            }
        }
    }

    /// Writes the trained model as `config.json` and half-precision weights.
    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: InfinityModel.File) -> String { "\(directory)/\(file.rawValue)" }
        let transformer = try trained(.transformer)
        let isText = { (name: String) in name == "shared.weight" || name.hasPrefix("encoder.") }
        try Safetensors.write(trained(.tokenizer), to: path(.tokenizer), precision: .half)
        try Safetensors.write(transformer.filter { isText($0.key) }, to: path(.text), precision: .half)
        try Safetensors.write(transformer.filter { !isText($0.key) }, to: path(.transformer), precision: .half)
        let words = try Data(contentsOf: URL(fileURLWithPath: vocabularyFile))
        try words.write(to: URL(fileURLWithPath: path(.textTokenizer)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(configuration()).write(to: URL(fileURLWithPath: path(.configuration)))
    }

    private func configuration() throws -> InfinityModel.Configuration {
        PocketInfinity.configuration(vocabulary: try UnigramTokenizer(path: vocabularyFile).vocabularySize)
    }

    private func model(tokenizer: Weights.Source) throws -> InfinityModel {
        try InfinityModel(
            configuration(), textTokenizer: UnigramTokenizer(path: vocabularyFile), tokenizer: tokenizer,
            text: .fresh(seed: options.seed &+ 1), transformer: .fresh(seed: options.seed &+ 2))
    }

    /// The weights in a stage's last checkpoint.
    private func trained(_ stage: Stage) throws -> [String: Tensor] {
        try OptimizerState(path: "\(options.folder)/\(stage.rawValue).checkpoint.safetensors").values
    }
}
