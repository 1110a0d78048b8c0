import Backbones
import Catalogue
import Checkpoints
import Foundation
import Layers
import LittleWorld

/// A models directory with tiny models under the names of the shipped ones; gone with its owner, unless that named the
/// folder.
package final class TinyModels {
    package let folder: String
    private let isKept: Bool

    package init(folder: String? = nil) throws {
        self.folder =
            folder ?? FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        isKept = folder != nil
        try write(tinyModel())
        try write(tinyChameleon())
        try write(tinyLlamaGen())
        try write(tinyDiffusion())
    }

    deinit { if !isKept { try? FileManager.default.removeItem(atPath: folder) } }

    private func write(_ model: InfinityModel) throws {
        var configuration = model.configuration
        configuration.name = "pocket-infinity"
        try write(
            configuration, named: configuration.name,
            [
                "tokenizer.safetensors": model.tokenizerWeights, "text_encoder.safetensors": model.textWeights,
                "transformer.safetensors": model.transformerWeights,
            ])
    }

    private func write(_ model: ChameleonModel) throws {
        var configuration = model.configuration
        configuration.name = "pocket-chameleon"
        // As large as a trained model's: fresh ones barely listen to a single position.
        for weight in model.transformerWeights.parameters where weight.isProjection {
            weight.value.accumulate(weight.value.copy(), scale: 12)
        }
        try write(
            configuration, named: configuration.name,
            ["tokenizer.safetensors": model.tokenizerWeights, "transformer.safetensors": model.transformerWeights])
    }

    private func write(_ model: LlamaGenModel) throws {
        var configuration = model.configuration
        configuration.name = "pocket-llamagen"
        for weight in model.transformerWeights.parameters where weight.isProjection {
            weight.value.accumulate(weight.value.copy(), scale: 12)
        }
        try write(
            configuration, named: configuration.name,
            [
                "tokenizer.safetensors": model.tokenizerWeights, "text_encoder.safetensors": model.textWeights,
                "transformer.safetensors": model.transformerWeights,
            ])
    }

    private func write(_ model: DiffusionModel) throws {
        var configuration = model.configuration
        configuration.name = "pocket-diffusion"
        try write(
            configuration, named: configuration.name,
            [
                "autoencoder.safetensors": model.autoencoderWeights, "text_encoder.safetensors": model.textWeights,
                "transformer.safetensors": model.transformerWeights,
            ])
    }

    func write(_ configuration: some Encodable, named name: String, _ weights: [String: Weights]) throws {
        let directory = URL(fileURLWithPath: folder).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try JSONEncoder().encode(configuration).write(to: directory.appendingPathComponent("config.json"))
        try UnigramTokenizer.file(words: LittleWorld.vocabulary).write(
            to: directory.appendingPathComponent("tokenizer.json"))
        for (file, weights) in weights {
            let tensors = Dictionary(uniqueKeysWithValues: weights.parameters.map { ($0.name, $0.value) })
            try Safetensors.write(tensors, to: directory.appendingPathComponent(file).path)
        }
        try ModelFolder.seal(directory.path)
    }
}
