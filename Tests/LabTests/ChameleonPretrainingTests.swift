import Backbones
import Foundation
import Lab
import Layers
import Testing

@Suite struct ChameleonPretrainingTests {
    @Test func pocketChameleonHasFiveToFifteenMillionParameters() {
        let c = PocketChameleon.configuration(words: 200)
        let tokenizer = Weights(.fresh(seed: 1))
        _ = ChameleonTokenizer(c.tokenizer, tokenizer)
        #expect((5_000_000...15_000_000).contains(c.transformer.parameterCount + tokenizer.count))
        #expect(c.grid.codes == 256)
        #expect(c.transformer.vocabularySize == c.vocabulary.size && c.vocabulary.codes == c.tokenizer.codes)
        // A long prompt, the marks, the picture and the image vectors of four concepts.
        #expect(c.transformer.longestSequence >= 2 + 40 + c.heading.count + c.grid.codes + c.grid.height + 1 + 4)
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
        try ChameleonPretraining(options: options(steps: 1)).run(.tokenizer)
        for stage in Pretraining.Stage.allCases { try ChameleonPretraining(options: options(steps: 2)).run(stage) }
        let losses = try String(contentsOfFile: "\(folder)/run/tokenizer.losses.csv", encoding: .utf8).split(
            separator: "\n")
        #expect(
            losses.count == 3 && losses[0].hasPrefix("step,psnr"), "a header, a line before the stop and one after it")
        try ChameleonPretraining(options: options(steps: 2)).export(to: "\(folder)/model")
        let model = try ChameleonModel(directory: "\(folder)/model")
        let prompt = ChameleonPrompt(ids: model.ids(before: "a photo of a red dog"))
        let pictures = model.generate([prompt], sampling: model.sampling(seeds: [1]))
        #expect(pictures[0].width == 64 && pictures[0].height == 64)
        #expect(pictures == model.generate([prompt], sampling: model.sampling(seeds: [1])))
    }
}
