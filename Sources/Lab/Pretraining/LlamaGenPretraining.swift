import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import Tensors

/// Trains pocket-llamagen from nothing on Little World, stage by stage, and writes it as a model directory.
package struct LlamaGenPretraining: ModelPretraining {
    let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    package func run(_ stage: Pretraining.Stage) throws {
        Storage.keepFreedMemory()
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        try options.writeVocabulary()
        try MatrixPrecision.$current.withValue(.bfloat16) {
            try PretrainingRun(options: options, stage: work(stage, on: model(stage))).run()
        }
    }

    func work(_ stage: Pretraining.Stage, on model: LlamaGenModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer: try LlamaGenTokenizerPretraining(.tokenizer, of: model, options: options)
        case .transformer: LlamaGenTransformerPretraining(model: model, options: options)
        case .decoder: try LlamaGenTokenizerPretraining(.decoder, of: model, options: options)
        }
    }

    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: LlamaGenModel.File) -> String { "\(directory)/\(file.rawValue)" }
        try Safetensors.write(options.withTrainedDecoder(result(.tokenizer)), to: path(.tokenizer), precision: .half)
        let transformer = try transformerWeights()
        try Safetensors.write(
            transformer.filter { T5Encoder.isName($0.key) }, to: path(.text), precision: .half)
        try Safetensors.write(
            transformer.filter { !T5Encoder.isName($0.key) }, to: path(.transformer), precision: .half)
        let words = try Data(contentsOf: URL(fileURLWithPath: options.vocabularyFile))
        try words.write(to: URL(fileURLWithPath: path(.textTokenizer)))
        try configuration().writeConfiguration(to: path(.configuration))
        try ModelFolder.seal(directory)
    }

    /// What the transformer's stage made, with the prefix of a dropped caption, which never learns and is drawn by the
    /// run's seed.
    private func transformerWeights() throws -> [String: Tensor] {
        let result = try result(.transformer)
        let prefix = try LlamaGenModel(
            configuration(), textTokenizer: words(), tokenizer: .fresh(seed: 1), text: .fresh(seed: 1),
            transformer: .fresh(seed: options.seed &+ 2)
        ).transformer.unconditional
        return [prefix.name: prefix.value].merging(result) { $1 }
    }

    private func words() throws -> UnigramTokenizer { try UnigramTokenizer(path: options.vocabularyFile) }

    private func configuration() throws -> LlamaGenModel.Configuration {
        PocketLlamaGen.configuration(vocabulary: try words().vocabularySize, pictureSize: options.pictureSize)
    }

    /// Fresh weights, or those of `options.start`; for the stages after the first, the tokenizer of this run where
    /// there is one.
    private func model(_ stage: Pretraining.Stage) throws -> LlamaGenModel {
        var tokenizer = Weights.Source.fresh(seed: options.seed)
        var text = Weights.Source.fresh(seed: options.seed &+ 1)
        var transformer = Weights.Source.fresh(seed: options.seed &+ 2)
        if options.start != nil {
            tokenizer = .checkpoint(try started([.tokenizer]))
            text = .checkpoint(try started([.text]))
            transformer = .checkpoint(try started([.transformer]))
        }
        if stage != .tokenizer, options.start == nil || options.isTrained(.tokenizer) {
            tokenizer = .checkpoint(try options.trained(.tokenizer))
        }
        return try LlamaGenModel(
            configuration(), textTokenizer: words(), tokenizer: tokenizer, text: text, transformer: transformer)
    }

    private func result(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        let files: [LlamaGenModel.File] = stage == .transformer ? [.transformer, .text] : [.tokenizer]
        return try options.result(stage, files: files.map(\.rawValue))
    }
    private func started(_ files: [LlamaGenModel.File]) throws -> [String: Tensor] {
        try options.started(files: files.map(\.rawValue))
    }
}
