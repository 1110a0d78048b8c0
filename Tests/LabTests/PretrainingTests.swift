import Backbones
import Catalogue
import ComputeTesting
import Foundation
import Images
import Lab
import LittleWorld
import Tensors
import Testing

@Suite(.computing) struct PretrainingTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    /// A few steps of every stage make a model directory that loads and paints the same picture twice; stopped in every
    /// stage and resumed, they make the same files.
    @Test(arguments: Pretraining.Model.allCases)
    func theStagesMakeAModelThatLoadsAndPaints(_ model: Pretraining.Model) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The schedule follows the number of steps in all: a stop is by time, not by a smaller number.
        let stopped = try trained(model, "stopped", seconds: [0, nil])
        for stage in Pretraining.Stage.allCases {
            let losses = try String(contentsOfFile: "\(folder)/stopped/\(stage).losses.csv", encoding: .utf8)
            let steps = losses.split(separator: "\n").map { $0.prefix { $0 != "," } }
            #expect(steps == ["step", "1", "2"], "\(stage): a header, a line before the stop and one after it")
        }
        let transformer = try String(contentsOfFile: "\(folder)/stopped/transformer.losses.csv", encoding: .utf8)
        #expect(transformer.hasPrefix("step,loss,held-out\n"), "\(transformer)")
        let whole = try String(contentsOfFile: "\(stopped)/losses.csv", encoding: .utf8).split(separator: "\n")
        #expect(
            whole.dropFirst().map { $0.split(separator: ",").prefix(2).joined(separator: " ") }
                == Pretraining.Stage.allCases.flatMap { ["\($0) 1", "\($0) 2"] }, "\(whole)")
        let picture = try model.paints("a photo of a red dog", directory: stopped)
        #expect(picture.width == 64 && picture.height == 64)
        #expect(try picture == model.paints("a photo of a red dog", directory: stopped))
        #expect(try ModelFolder.written(stopped)?.unlearnt == LittleWorld.unlearntWords)
        #expect(try digests(stopped) == digests(trained(model, "undisturbed", seconds: [nil])))
        if model == .diffusion { try expectLatentsOfVarianceOne(stopped) }
    }

    /// Two steps of every stage, each in as many runs as there are limits.
    /// - Returns: the model directory.
    private func trained(_ model: Pretraining.Model, _ run: String, seconds limits: [Double?]) throws -> String {
        func pretraining(seconds: Double? = nil) -> any ModelPretraining {
            model.pretraining(
                PretrainingOptions(
                    folder: "\(folder)/\(run)", steps: 2, batch: 2, learningRate: 1e-3, seed: 1, reportEvery: 100,
                    seconds: seconds, sheetPictures: 1))
        }
        for stage in Pretraining.Stage.allCases {
            for limit in limits { try pretraining(seconds: limit).run(stage) }
        }
        let directory = "\(folder)/\(run)/model"
        try pretraining().export(to: directory)
        return directory
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
