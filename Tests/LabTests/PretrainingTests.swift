import Backbones
import ComputeTesting
import Foundation
import Images
import Lab
import LittleWorld
import Tensors
import Testing

@Suite(.computing) struct PretrainingTests {
    /// A few steps of every stage, stopped and resumed, make a model directory that loads and paints the same picture
    /// twice.
    @Test(arguments: Pretraining.Model.allCases)
    func theStagesMakeAModelThatLoadsAndPaints(_ model: Pretraining.Model) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func pretraining(steps: Int) -> any ModelPretraining {
            model.pretraining(
                PretrainingOptions(
                    folder: "\(folder)/run", steps: steps, batch: 2, learningRate: 1e-3, seed: 1, reportEvery: 100,
                    seconds: nil))
        }
        try pretraining(steps: 1).run(.tokenizer)
        for stage in Pretraining.Stage.allCases { try pretraining(steps: 2).run(stage) }
        let losses = try String(contentsOfFile: "\(folder)/run/tokenizer.losses.csv", encoding: .utf8).split(
            separator: "\n")
        #expect(
            losses.count == 3 && losses[0].hasPrefix("step,psnr"), "a header, a line before the stop and one after it")
        let transformer = try String(contentsOfFile: "\(folder)/run/transformer.losses.csv", encoding: .utf8)
        #expect(transformer.wholeMatch(of: /step,loss,held-out\n2,[\d.]+,[\d.]+\n/) != nil, "\(transformer)")
        try pretraining(steps: 2).export(to: "\(folder)/model")
        let picture = try model.paints("a photo of a red dog", directory: "\(folder)/model")
        #expect(picture.width == 64 && picture.height == 64)
        #expect(try picture == model.paints("a photo of a red dog", directory: "\(folder)/model"))
        // Another run of the same options makes the same files.
        try pretraining(steps: 2).export(to: "\(folder)/again/model")
        #expect(try digests("\(folder)/model") == digests("\(folder)/again/model"))
        if model == .diffusion { try expectLatentsOfVarianceOne("\(folder)/model") }
    }

    private func digests(_ directory: String) throws -> String {
        try String(contentsOfFile: "\(directory)/SHA256SUMS", encoding: .utf8)
    }

    private func expectLatentsOfVarianceOne(_ directory: String) throws {
        let latents = try DiffusionModel(directory: directory).latents(
            (0..<16).map { LittleWorld.scene(index: $0, seed: 9, split: .training).paint(size: 64) })
        #expect((0.5...2).contains(latents.sumOfSquares / Double(latents.count)))
    }
}

extension Pretraining.Model {
    /// One picture by an exported model.
    fileprivate func paints(_ prompt: String, directory: String) throws -> Picture {
        switch self {
        case .infinity:
            let model = try InfinityModel(directory: directory)
            return model.generate(model.encode([prompt]), sampling: model.sampling(seeds: [1]))[0]
        case .chameleon:
            let model = try ChameleonModel(directory: directory)
            let ids = ChameleonPrompt(ids: model.ids(before: prompt))
            return model.generate([ids], sampling: model.sampling(seeds: [1]))[0]
        case .diffusion:
            let model = try DiffusionModel(directory: directory)
            return model.generate(model.encode([prompt]), sampling: model.sampling(steps: 2, seeds: [1]))[0]
        case .llamagen:
            let model = try LlamaGenModel(directory: directory)
            return model.generate(model.encode([prompt]), sampling: model.sampling(seeds: [1]))[0]
        }
    }
}
