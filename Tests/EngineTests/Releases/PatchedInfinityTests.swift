import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import Foundation
import Images
import Jobs
import Layers
import LittleWorld
import ModelTesting
import ServerTesting
import Tensors
import Testing

@testable import Engine

/// Infinity 8B, whose tokens are four codes each, in the files and under the names it is released with.
@Suite(.computing) struct PatchedInfinityTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    /// A transformer of 16 bits and a VAE of 4 that halves three times, with T5 beside them.
    private func write() throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/flan-t5-xl", withIntermediateDirectories: true)
        let words = "\(folder)/flan-t5-xl/tokenizer.json"
        try UnigramTokenizer.file(words: LittleWorld.vocabulary).write(to: URL(fileURLWithPath: words))
        let tokenizer = try UnigramTokenizer(path: words)
        let schedule = ScaleSchedule.square([1, 2, 4, 6, 8, 12, 16])
        var transformer = InfinityTransformer.Configuration(
            width: 16, depth: 4, heads: 2, textWidth: 16, textLength: 16, bits: 16, blockChunks: 2, schedule: schedule)
        transformer.codePatch = 2
        var codes = BitwiseTokenizer.Configuration(
            baseChannels: 32, encoderMultipliers: [1, 1, 1, 1], decoderMultipliers: [1, 1, 1, 1], residualBlocks: 1,
            bits: 4, patchSize: 8)
        codes.codePatch = 2
        let text = T5Encoder.Configuration(
            vocabularySize: tokenizer.vocabularySize, width: 16, headWidth: 8, feedForwardWidth: 16, layers: 1,
            heads: 2)
        let model = try InfinityModel(
            InfinityModel.Configuration(
                name: "8b", pictureSize: 256, schedule: schedule, tokenizer: codes, text: text,
                transformer: transformer, guidance: 2, temperature: 1),
            textTokenizer: tokenizer, tokenizer: .fresh(seed: 1), text: .fresh(seed: 2), transformer: .fresh(seed: 3))
        try write(model.transformerWeights, "\(folder)/infinity_8b_256x256.safetensors")
        try write(model.tokenizerWeights, "\(folder)/infinity_vae_d56_f8_14_patchify.safetensors")
        try write(model.textWeights, "\(folder)/flan-t5-xl/model.safetensors")
        try text.writeConfiguration(to: "\(folder)/flan-t5-xl/config.json")
    }

    private func write(_ weights: Weights, _ path: String) throws {
        let tensors = Dictionary(uniqueKeysWithValues: weights.parameters.map { ($0.name, $0.value) })
        try Safetensors.write(tensors, to: path)
    }

    @Test func scalesWithoutAnEmbeddingAreRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write()
        let file = "\(folder)/infinity_8b_256x256.safetensors"
        var tensors = try Checkpoint.tensors(file)
        tensors["lvl_embed.weight"] = tensors["lvl_embed.weight"]?.slice(0..<6)
        try Safetensors.write(tensors, to: file)
        let said = #expect(throws: UnrecognizedRelease.self) { try ReleaseScan([folder]).recognized() }
        let problems = try #require(said).problems
        #expect(problems.count == 1 && problems[0].contains("lvl_embed.weight has 6 rows"), "\(problems)")
    }

    @Test(arguments: [("256x256", nil), ("224x336", nil), ("200x290", "224x336")] as [(String, JSONValue?)])
    func itDraws(size: String, shape: JSONValue?) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let models = try TinyModels()
        try write()
        let added = try ModelInstallation(directory: models.folder).add(release: [folder], name: "8b").model
        #expect(added.problems == [] && added.description?.family == .infinity)
        #expect(added.description?.pictures.first == .init(width: 256, height: 256))
        let settings = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: "\(added.folder)/config.json")))
        #expect(settings["tokenizer"]?["codePatch"] == 2 && settings["transformer"]?["codePatch"] == 2)
        let spec: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": "8b", "prompts": ["a red dog"], "images_per_prompt": 2,
            "seed": 3, "size": .string(size),
        ]
        let run = try Run(models, spec)
        #expect(run.result?["size"] == .string(size) && Set(run.digests(.picture)).count == 2)
        #expect(run.result?["shape"] == shape)
        let picture = try Picture(pngFile: run.artifacts.first { $0.role == .picture }!.path)
        #expect("\(picture.width)x\(picture.height)" == size)
    }
}
