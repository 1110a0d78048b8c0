import Backbones
import Foundation
import Lab
import Layers
import LittleWorld
import Tensors
import Testing

@Suite struct LlamaGenPretrainingTests {
    @Test func pocketLlamaGenHasFiveToFifteenMillionParameters() {
        let c = PocketLlamaGen.configuration(vocabulary: 200)
        let tokenizer = Weights(.fresh(seed: 1))
        _ = LlamaGenTokenizer(c.tokenizer, tokenizer)
        let transformer = Weights(.fresh(seed: 1))
        _ = LlamaGenTransformer(c.transformer, transformer)
        #expect((5_000_000...15_000_000).contains(tokenizer.count + transformer.count))
        #expect(c.pictureSize / c.tokenizer.patchSize == c.transformer.side)
        #expect(c.transformer.codes == c.tokenizer.codes)
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
        try LlamaGenPretraining(options: options(steps: 1)).run(.tokenizer)
        for stage in Pretraining.Stage.allCases { try LlamaGenPretraining(options: options(steps: 2)).run(stage) }
        let losses = try String(contentsOfFile: "\(folder)/run/tokenizer.losses.csv", encoding: .utf8).split(
            separator: "\n")
        #expect(
            losses.count == 3 && losses[0].hasPrefix("step,psnr"), "a header, a line before the stop and one after it")
        try LlamaGenPretraining(options: options(steps: 2)).export(to: "\(folder)/model")
        let model = try LlamaGenModel(directory: "\(folder)/model")
        let captions = model.encode(["a photo of a red dog"])
        let pictures = model.generate(captions, sampling: model.sampling(seeds: [1]))
        #expect(pictures[0].width == 64 && pictures[0].height == 64)
        #expect(pictures == model.generate(captions, sampling: model.sampling(seeds: [1])))
    }
}
