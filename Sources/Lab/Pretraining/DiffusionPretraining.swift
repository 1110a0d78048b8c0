import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import LittleWorld
import Tensors

/// Trains pocket-diffusion from nothing on Little World, stage by stage, and writes it as a model directory.
package struct DiffusionPretraining: ModelPretraining {
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

    func work(_ stage: Pretraining.Stage, on model: DiffusionModel) throws -> any PretrainingStage {
        switch stage {
        case .tokenizer: try AutoencoderPretraining(.tokenizer, of: model, options: options)
        case .transformer: FlowPretraining(model: model, options: options)
        case .decoder: try AutoencoderPretraining(.decoder, of: model, options: options)
        }
    }

    package func export(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func path(_ file: DiffusionModel.File) -> String { "\(directory)/\(file.rawValue)" }
        let autoencoder = try result(.tokenizer)
        try Safetensors.write(options.withTrainedDecoder(autoencoder), to: path(.autoencoder), precision: .half)
        let transformer = try flowWeights()
        try Safetensors.write(
            transformer.filter { T5Encoder.isName($0.key) }, to: path(.text), precision: .half)
        try Safetensors.write(
            transformer.filter { !T5Encoder.isName($0.key) }, to: path(.transformer), precision: .half)
        let words = try Data(contentsOf: URL(fileURLWithPath: options.vocabularyFile))
        try words.write(to: URL(fileURLWithPath: path(.textTokenizer)))
        try measuredConfiguration(.checkpoint(autoencoder)).writeConfiguration(to: path(.configuration))
        try ModelFolder.seal(directory)
    }

    /// The averages of the transformer's and the text encoder's weights, and the table of positions, which never
    /// learns.
    private func flowWeights() throws -> [String: Tensor] {
        guard options.start == nil || options.isTrained(.transformer) else { return try result(.transformer) }
        let averages = AveragingOptimizer.averages(in: try OptimizerState(path: options.checkpoint(.transformer)))
        let table = try DiffusionModel(
            configuration(), textTokenizer: words(), autoencoder: .fresh(seed: 1), text: .fresh(seed: 1),
            transformer: .fresh(seed: 1)
        ).transformer.positions
        return averages.merging([table.name: table.value]) { $1 }
    }

    private func words() throws -> UnigramTokenizer { try UnigramTokenizer(path: options.vocabularyFile) }

    private func configuration() throws -> DiffusionModel.Configuration {
        PocketDiffusion.configuration(vocabulary: try words().vocabularySize, pictureSize: options.pictureSize)
    }

    /// The configuration with the scale and shift that bring this autoencoder's latents to a mean of zero and a
    /// variance of one.
    private func measuredConfiguration(_ autoencoder: Weights.Source) throws -> DiffusionModel.Configuration {
        var configuration = try configuration()
        let model = try DiffusionModel(
            configuration, textTokenizer: words(), autoencoder: autoencoder, text: .fresh(seed: 1),
            transformer: .fresh(seed: 1))
        let pictures = (0..<PocketDiffusion.measured).map {
            LittleWorld.scene(index: UInt64($0), seed: 3, split: .training).paint(size: options.pictureSize)
        }
        let values = stride(from: 0, to: pictures.count, by: 32).flatMap {
            model.latents(Array(pictures[$0..<$0 + 32])).values
        }
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        configuration.autoencoder.shift = Float(mean)
        configuration.autoencoder.scale = Float(1 / variance.squareRoot())
        return configuration
    }

    /// Fresh weights, or those of `options.start`; for the stages after the first, the autoencoder of this run where
    /// there is one.
    private func model(_ stage: Pretraining.Stage) throws -> DiffusionModel {
        var autoencoder = Weights.Source.fresh(seed: options.seed)
        var text = Weights.Source.fresh(seed: options.seed &+ 1)
        var transformer = Weights.Source.fresh(seed: options.seed &+ 2)
        if options.start != nil {
            autoencoder = .checkpoint(try started([.autoencoder]))
            text = .checkpoint(try started([.text]))
            transformer = .checkpoint(try started([.transformer]))
        }
        if stage != .tokenizer, options.start == nil || options.isTrained(.tokenizer) {
            autoencoder = .checkpoint(try options.trained(.tokenizer))
        }
        return try DiffusionModel(
            stage == .transformer ? measuredConfiguration(autoencoder) : configuration(), textTokenizer: words(),
            autoencoder: autoencoder, text: text, transformer: transformer)
    }

    private func files(_ stage: Pretraining.Stage) -> [DiffusionModel.File] {
        stage == .transformer ? [.transformer, .text] : [.autoencoder]
    }
    private func result(_ stage: Pretraining.Stage) throws -> [String: Tensor] {
        try options.result(stage, files: files(stage).map(\.rawValue))
    }
    private func started(_ files: [DiffusionModel.File]) throws -> [String: Tensor] {
        try options.started(files: files.map(\.rawValue))
    }
}
