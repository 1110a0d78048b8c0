import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// Training of an embedded model, stage by stage.
package protocol ModelPretraining {
    /// Runs a stage from its last checkpoint in the run folder; the others start from the tokenizer's result there.
    func run(_ stage: Pretraining.Stage) throws
    /// Writes the trained model as `config.json` and half-precision weights. A stage that this run did not train comes
    /// from `options.start`.
    func export(to directory: String) throws
}

/// Trains pocket-infinity from nothing on Little World, stage by stage, and writes it as a model directory.
package struct Pretraining: ModelPretraining {
    package enum Stage: String, CaseIterable, Sendable {
        /// The picture tokenizer, or what is one to a diffusion model: its autoencoder.
        case tokenizer
        /// The transformer and its text encoder, on the tokenizer's bits.
        case transformer
        /// The picture tokenizer's decoder once more, on the same bits.
        case decoder
    }

    /// The embedded models.
    package enum Model: String, CaseIterable, Sendable {
        case infinity = "pocket-infinity"
        case chameleon = "pocket-chameleon"
        case diffusion = "pocket-diffusion"
        case llamagen = "pocket-llamagen"

        package func pretraining(_ options: PretrainingOptions) -> any ModelPretraining {
            switch self {
            case .infinity: Pretraining(options: options)
            case .chameleon: ChameleonPretraining(options: options)
            case .diffusion: DiffusionPretraining(options: options)
            case .llamagen: LlamaGenPretraining(options: options)
            }
        }
    }

    let options: PretrainingOptions

    package init(options: PretrainingOptions) { self.options = options }

    package func run(_ stage: Stage) throws {
        Storage.keepFreedMemory()
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        try options.writeVocabulary()
        try MatrixPrecision.$current.withValue(.bfloat16) {
            let weights = try startingWeights(stage)
            let model = try model(weights)
            if options.start != nil { sayWhatStartsFresh(stage, model) }
            try PretrainingRun(options: options, stage: try work(stage, on: model)).run()
        }
    }

    func work(_ stage: Stage, on model: InfinityModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer: try TokenizerPretraining(.tokenizer, of: model, options: options)
        case .transformer: TransformerPretraining(model: model, options: options)
        case .decoder: try TokenizerPretraining(.decoder, of: model, options: options)
        }
    }

    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: InfinityModel.File) -> String { "\(directory)/\(file.rawValue)" }
        try Safetensors.write(options.withTrainedDecoder(result(.tokenizer)), to: path(.tokenizer), precision: .half)
        let transformer = try result(.transformer)
        try Safetensors.write(transformer.filter { T5Encoder.isName($0.key) }, to: path(.text), precision: .half)
        try Safetensors.write(
            transformer.filter { !T5Encoder.isName($0.key) }, to: path(.transformer), precision: .half)
        let words = try Data(contentsOf: URL(fileURLWithPath: options.vocabularyFile))
        try words.write(to: URL(fileURLWithPath: path(.textTokenizer)))
        try configuration().writeConfiguration(to: path(.configuration))
        try ModelFolder.seal(directory)
    }

    private func configuration() throws -> InfinityModel.Configuration {
        PocketInfinity.configuration(
            vocabulary: try UnigramTokenizer(path: options.vocabularyFile).vocabularySize,
            pictureSize: options.pictureSize)
    }

    private struct StartingWeights {
        var tokenizer: Weights.Source
        var text: Weights.Source
        var transformer: Weights.Source
    }

    /// Says which weights of a stage the model to start from does not have, or has for other sizes.
    private func sayWhatStartsFresh(_ stage: Stage, _ model: InfinityModel) {
        let weights = stage == .transformer ? [model.transformerWeights, model.textWeights] : [model.tokenizerWeights]
        for problem in weights.flatMap(\.problems) {
            FileHandle.standardError.write(Data("starts fresh: \(problem)\n".utf8))
        }
    }

    /// Fresh weights, or those of `options.start` where they fit; for the stages after the first, the tokenizer of this
    /// run where there is one.
    private func startingWeights(_ stage: Stage) throws -> StartingWeights {
        var weights = StartingWeights(
            tokenizer: .fresh(seed: options.seed), text: .fresh(seed: options.seed &+ 1),
            transformer: .fresh(seed: options.seed &+ 2))
        if options.start != nil {
            let transformer = try started(.transformer)
            weights = StartingWeights(
                tokenizer: .fitting(try started(.tokenizer), seed: options.seed),
                text: .fitting(transformer, seed: options.seed &+ 1),
                transformer: .fitting(transformer, seed: options.seed &+ 2))
        }
        if stage != .tokenizer, options.start == nil || options.isTrained(.tokenizer) {
            weights.tokenizer = .checkpoint(try options.trained(.tokenizer))
        }
        return weights
    }

    private func model(_ weights: StartingWeights) throws -> InfinityModel {
        try InfinityModel(
            configuration(), textTokenizer: UnigramTokenizer(path: options.vocabularyFile),
            tokenizer: weights.tokenizer, text: weights.text,
            transformer: weights.transformer)
    }

    /// The files of a model directory that hold what a stage trains.
    private func files(_ stage: Stage) -> [InfinityModel.File] {
        stage == .transformer ? [.transformer, .text] : [.tokenizer]
    }

    private func result(_ stage: Stage) throws -> [String: Tensor] {
        try options.result(stage, files: files(stage).map(\.rawValue))
    }
    private func started(_ stage: Stage) throws -> [String: Tensor] {
        try options.started(files: files(stage).map(\.rawValue))
    }
}
