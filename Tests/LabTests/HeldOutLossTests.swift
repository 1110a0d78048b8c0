import Backbones
import ComputeTesting
import Foundation
import Layers
import LittleWorld
import ModelTesting
import Tensors
import Testing

@testable import Lab

@Suite(.computing) struct HeldOutLossTests {
    private func options(
        _ folder: String = "", seed: UInt64 = 1, reportEvery: Int = 1, flips: Float = 0.3
    ) -> PretrainingOptions {
        PretrainingOptions(
            folder: folder, steps: 3, batch: 2, learningRate: 1e-2, seed: seed, reportEvery: reportEvery, seconds: nil,
            pictureSize: 16, largestFlipShare: flips)
    }

    private func stage(_ model: Pretraining.Model, _ options: PretrainingOptions) throws -> any PretrainingStage {
        switch model {
        case .infinity: try InfinityTransformerPretraining(model: tinyModel(), options: options)
        case .chameleon: try ChameleonTransformerPretraining(model: tinyChameleon(), options: options)
        case .llamagen: try LlamaGenTransformerPretraining(model: tinyLlamaGen(), options: options)
        case .diffusion: try FlowPretraining(model: tinyDiffusion(), options: options)
        }
    }

    @Test func trainingNeverSeesTheCaptions() {
        let captions = Set(HeldOutScenes.captioned(count: 64).map(\.caption))
        let shown = (0..<20_000).map { LittleWorld.scene(index: $0, seed: 2, split: .training).caption }
        let scored = Evaluation.dressedPrompts(count: ModelScore.mostPrompts).map(\.text)
        #expect(captions.count == 64 && captions.isDisjoint(with: shown) && captions.isDisjoint(with: scored))
    }

    /// Neither a run's seed nor its flips, drops and noise say anything in it.
    @Test(arguments: Pretraining.Model.allCases)
    func theWeightsAloneDecideTheLoss(_ model: Pretraining.Model) throws {
        let stage = try stage(model, options())
        let loss = try #require(stage.heldOutLoss())
        #expect(loss.isFinite && loss > 0)
        #expect(stage.heldOutLoss() == loss)
        #expect(try self.stage(model, options(seed: 2, flips: 0)).heldOutLoss() == loss)
        _ = stage.accumulate(step: 0)
        stage.optimizer.update()
        #expect(stage.heldOutLoss() != loss)
    }

    @Test(arguments: Pretraining.Model.allCases)
    func aTrainingThatIsAskedGoesOnAsOneThatIsNot(_ model: Pretraining.Model) throws {
        func memory(asked: Bool) throws -> [String: [Float]] {
            let stage = try stage(model, options())
            for step in 0..<2 {
                if asked { _ = stage.heldOutLoss() }
                _ = stage.accumulate(step: step)
                if asked { _ = stage.heldOutLoss() }
                stage.optimizer.update()
            }
            return Dictionary(uniqueKeysWithValues: stage.optimizer.memory.map { ($0.name, $0.tensor.values) })
        }
        #expect(try memory(asked: true) == memory(asked: false))
    }

    /// However often a run reports, it ends with the same bytes.
    @Test func everyReportHasARowWithTheLoss() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(reportEvery: Int) throws -> (checkpoint: Data, losses: String) {
            let options = options("\(folder)/\(reportEvery)", reportEvery: reportEvery)
            try PretrainingRun(options: options, stage: stage(.llamagen, options)).run()
            let path = "\(options.folder)/transformer"
            let losses = try String(contentsOfFile: path + ".losses.csv", encoding: .utf8)
            return (try Data(contentsOf: URL(fileURLWithPath: path + ".checkpoint.safetensors")), losses)
        }
        let (often, once) = (try run(reportEvery: 1), try run(reportEvery: 3))
        #expect(often.checkpoint == once.checkpoint)
        let (rows, row) = (often.losses.split(separator: "\n"), once.losses.split(separator: "\n"))
        #expect(rows.count == 4 && rows[0] == "step,loss,held-out")
        #expect(row.count == 2 && row[0] == rows[0])
        for line in rows + row { #expect(line.split(separator: ",").count == 3, "\(line)") }
        #expect(rows.last?.split(separator: ",").last == row.last?.split(separator: ",").last)
    }

    /// What self-correction costs is taken apart by leaving it out.
    @Test func withoutFlipsInfinityLearnsTheBitsAsTheyAre() throws {
        func loss(flips: Float) throws -> Float {
            try stage(.infinity, options(flips: flips)).accumulate(step: 0)[0].value
        }
        #expect(try loss(flips: 0) != loss(flips: 0.3))
        #expect(try loss(flips: 0.3) == loss(flips: 0.3))
    }
}
