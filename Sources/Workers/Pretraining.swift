import Backbones
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains the embedded model from nothing on Little World, stage by stage, and writes it as a model directory.
package struct Pretraining {
    package enum Stage: String, CaseIterable, Sendable {
        /// The picture tokenizer.
        case tokenizer
        /// The transformer and its text encoder, on the tokenizer's bits.
        case transformer
        /// The picture tokenizer's decoder once more, on the same bits.
        case decoder
    }

    let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    private var vocabularyFile: String { "\(options.folder)/\(InfinityModel.File.textTokenizer.rawValue)" }

    /// Runs a stage from its last checkpoint in the run folder; the others start from the tokenizer's result there.
    package func run(_ stage: Stage) throws {
        Storage.keepFreedMemory()
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        try writeVocabulary()
        try MatrixPrecision.$current.withValue(.bfloat16) {
            let weights = try startingWeights(stage), model = try model(weights)
            try PretrainingRun(options: options, stage: work(stage, on: model)).run()
        }
    }

    /// The run's words: those of the model it starts from, or all of Little World's.
    private func writeVocabulary() throws {
        if FileManager.default.fileExists(atPath: vocabularyFile) { return }
        let words = try options.start.map { try Data(contentsOf: URL(fileURLWithPath: "\($0)/\(InfinityModel.File.textTokenizer.rawValue)")) }
        try (words ?? UnigramTokenizer.file(words: LittleWorld.vocabulary)).write(to: URL(fileURLWithPath: vocabularyFile))
    }

    private func work(_ stage: Stage, on model: InfinityModel) -> any PretrainingStage {
        switch stage {
        case .tokenizer: TokenizerPretraining(.tokenizer, of: model, options: options)
        case .transformer: TransformerPretraining(model: model, options: options)
        case .decoder: TokenizerPretraining(.decoder, of: model, options: options)
        }
    }

    /// Writes the trained model as `config.json` and half-precision weights. A stage that this run did not train comes from
    /// `options.start`.
    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: InfinityModel.File) -> String { "\(directory)/\(file.rawValue)" }
        try Safetensors.write(result(.tokenizer).merging(isTrained(.decoder) ? trained(.decoder) : [:]) { $1 }, to: path(.tokenizer), precision: .half)
        let transformer = try result(.transformer)
        let isText = { (name: String) in name == "shared.weight" || name.hasPrefix("encoder.") }
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

    private struct StartingWeights {
        var tokenizer: Weights.Source
        var text: Weights.Source
        var transformer: Weights.Source
    }

    /// Fresh weights, or those of `options.start`; for the stages after the first, the tokenizer of this run where there is one.
    private func startingWeights(_ stage: Stage) throws -> StartingWeights {
        var weights = StartingWeights(
            tokenizer: .fresh(seed: options.seed), text: .fresh(seed: options.seed &+ 1), transformer: .fresh(seed: options.seed &+ 2))
        if options.start != nil {
            let transformer = try Weights.Source.checkpoint(started(.transformer))
            weights = StartingWeights(tokenizer: .checkpoint(try started(.tokenizer)), text: transformer, transformer: transformer)
        }
        if stage != .tokenizer, options.start == nil || isTrained(.tokenizer) { weights.tokenizer = .checkpoint(try trained(.tokenizer)) }
        return weights
    }

    private func model(_ weights: StartingWeights) throws -> InfinityModel {
        try InfinityModel(
            configuration(), textTokenizer: UnigramTokenizer(path: vocabularyFile), tokenizer: weights.tokenizer, text: weights.text,
            transformer: weights.transformer)
    }

    private func checkpoint(_ stage: Stage) -> String { "\(options.folder)/\(stage.rawValue).checkpoint.safetensors" }
    private func isTrained(_ stage: Stage) -> Bool { FileManager.default.fileExists(atPath: checkpoint(stage)) }

    /// What a stage made: its last checkpoint, or what the run started from.
    private func result(_ stage: Stage) throws -> [String: Tensor] {
        try options.start == nil || isTrained(stage) ? trained(stage) : started(stage)
    }

    /// The weights that `options.start` holds for a stage.
    private func started(_ stage: Stage) throws -> [String: Tensor] {
        let files: [InfinityModel.File] = stage == .transformer ? [.transformer, .text] : [.tokenizer]
        return try files.reduce(into: [:]) { try $0.merge(Safetensors.tensors("\(options.start!)/\($1.rawValue)")) { $1 } }
    }

    /// The weights in a stage's last checkpoint.
    private func trained(_ stage: Stage) throws -> [String: Tensor] {
        try OptimizerState(path: checkpoint(stage)).values
    }
}
