import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains pocket-chameleon from nothing on Little World, stage by stage, and writes it as a model directory.
package struct ChameleonPretraining: ModelPretraining {
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

    func work(_ stage: Pretraining.Stage, on model: ChameleonModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer: try ChameleonTokenizerPretraining(.tokenizer, of: model, options: options)
        case .transformer: ChameleonTransformerPretraining(model: model, options: options)
        case .decoder: try ChameleonTokenizerPretraining(.decoder, of: model, options: options)
        }
    }

    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: ChameleonModel.File) -> String { "\(directory)/\(file.rawValue)" }
        try Safetensors.write(options.withTrainedDecoder(result(.tokenizer)), to: path(.tokenizer), precision: .half)
        try Safetensors.write(result(.transformer), to: path(.transformer), precision: .half)
        let words = try Data(contentsOf: URL(fileURLWithPath: options.vocabularyFile))
        try words.write(to: URL(fileURLWithPath: path(.textTokenizer)))
        try configuration().writeConfiguration(to: path(.configuration))
        try ModelFolder.seal(directory)
    }

    private func configuration() throws -> ChameleonModel.Configuration {
        PocketChameleon.configuration(
            words: try UnigramTokenizer(path: options.vocabularyFile).vocabularySize, pictureSize: options.pictureSize)
    }

    /// Fresh weights, or those of `options.start`; for the stages after the first, the tokenizer of this run where
    /// there is one.
    private func model(_ stage: Pretraining.Stage) throws -> ChameleonModel {
        var tokenizer = Weights.Source.fresh(seed: options.seed)
        var transformer = Weights.Source.fresh(seed: options.seed &+ 2)
        if options.start != nil {
            (tokenizer, transformer) = (.checkpoint(try started(.tokenizer)), .checkpoint(try started(.transformer)))
        }
        if stage != .tokenizer, options.start == nil || options.isTrained(.tokenizer) {
            tokenizer = .checkpoint(try options.trained(.tokenizer))
        }
        return try ChameleonModel(
            configuration(), textTokenizer: UnigramTokenizer(path: options.vocabularyFile), tokenizer: tokenizer,
            transformer: transformer)
    }

    /// The file of a model directory that holds what a stage trains.
    private func file(_ stage: Pretraining.Stage) -> String {
        (stage == .transformer ? ChameleonModel.File.transformer : .tokenizer).rawValue
    }

    private func result(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        try options.result(stage, files: [file(stage)])
    }
    private func started(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        try options.started(files: [file(stage)])
    }
}
