import Backbones
import Foundation
import Lab
import Layers
import LittleWorld
import Tensors
import Testing

@Suite struct DiffusionPretrainingTests {
    @Test func pocketDiffusionHasFiveToFifteenMillionParameters() {
        let c = PocketDiffusion.configuration(vocabulary: 200)
        let autoencoder = Weights(.fresh(seed: 1))
        _ = AutoencoderKL(c.autoencoder, autoencoder)
        let transformer = Weights(.fresh(seed: 1))
        _ = MMDiT(c.transformer, transformer)
        #expect((5_000_000...15_000_000).contains(autoencoder.count + transformer.count))
        #expect(c.latentShape == [8, 16, 16] && (20...50).contains(c.steps))
    }

    /// A few steps of every stage, stopped and resumed, make a model directory that loads and paints.
    @Test func theStagesMakeAModelThatLoadsAndPaints() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func options(steps: Int) -> PretrainingOptions {
            PretrainingOptions(
                folder: "\(folder)/run", steps: steps, batch: 2, learningRate: 1e-3, seed: 1, reportEvery: 100,
                seconds: nil)
        }
        try DiffusionPretraining(options: options(steps: 1)).run(.tokenizer)
        for stage in Pretraining.Stage.allCases { try DiffusionPretraining(options: options(steps: 2)).run(stage) }
        let losses = try String(contentsOfFile: "\(folder)/run/tokenizer.losses.csv", encoding: .utf8).split(
            separator: "\n")
        #expect(
            losses.count == 3 && losses[0].hasPrefix("step,psnr"), "a header, a line before the stop and one after it")
        try DiffusionPretraining(options: options(steps: 2)).export(to: "\(folder)/model")
        let model = try DiffusionModel(directory: "\(folder)/model")
        let text = model.encode(["a photo of a red dog"])
        let pictures = model.generate(text, sampling: model.sampling(steps: 2, seeds: [1]))
        #expect(pictures[0].width == 64 && pictures[0].height == 64)
        #expect(pictures == model.generate(text, sampling: model.sampling(steps: 2, seeds: [1])))
        // Latents reach the transformer with a variance of about one.
        let latents = model.latents(
            (0..<16).map { LittleWorld.scene(index: $0, seed: 9, split: .training).paint(size: 64) })
        #expect((0.5...2).contains(latents.sumOfSquares / Double(latents.count)))
    }
}
