import Foundation
import Images
import Testing

@testable import Lab

struct ModelLossesTests {
    private let folder = "\(FileManager.default.temporaryDirectory.path)/atelier-\(UUID().uuidString)"

    /// What was trained in two runs, the second of which began with what the first had come to.
    @Test func stepsCountOnOverTheRunsThatTrainedAStage() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try table("first", "tokenizer", "step,psnr,generator\n50,13.5,\n100,16.5,0.25\n")
        try table("first", "transformer", "step,loss\n50,3.5\n100,3.0\n")
        try losses("first").write(to: folder + "/start")
        try table("second", "transformer", "step,loss,held-out\n50,2.5,\n75,2.25,2.75\n")
        try losses("second", start: "start").write(to: folder + "/model")
        #expect(
            try String(contentsOfFile: folder + "/model/losses.csv", encoding: .utf8) == """
                stage,step,psnr,generator,loss,held-out
                tokenizer,50,13.5,,,
                tokenizer,100,16.5,0.25,,
                transformer,50,,,3.5,
                transformer,100,,,3.0,
                transformer,150,,,2.5,
                transformer,175,,,2.25,2.75

                """)
    }

    @Test func everyStageHasAPlotBelowTheOneBefore() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try table("run", "tokenizer", "step,psnr,absolute\n50,13.5,0.5\n100,16.5,0.25\n")
        try table("run", "transformer", "step,loss\n50,3.5\n100,3.0\n")
        try losses("run").write(to: folder + "/model")
        let plots = [
            StageLosses(csv: "step,psnr\n50,13.5\n100,16.5\n").plot(title: "tokenizer, 100 steps"),
            StageLosses(csv: "step,loss\n50,3.5\n100,3.0\n").plot(title: "transformer, 100 steps"),
        ]
        let expected = folder + "/expected.png"
        try Grid.rows(of: 1, plots).writePNG(expected)
        #expect(
            FileManager.default.contents(atPath: folder + "/model/losses.png")
                == FileManager.default.contents(atPath: expected))
    }

    @Test func aRunThatToldNoLossesWritesNone() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
        try losses("run", start: "start").write(to: folder + "/model")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/model").isEmpty)
    }

    /// A stage's table in a run folder, and the folders of the models beside it.
    private func table(_ run: String, _ stage: String, _ csv: String) throws {
        for name in [run, "start", "model"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        try csv.write(toFile: "\(folder)/\(run)/\(stage).losses.csv", atomically: true, encoding: .utf8)
    }

    private func losses(_ run: String, start: String? = nil) throws -> ModelLosses {
        try ModelLosses(
            of: Pretraining.Stage.allCases.map(\.rawValue), run: "\(folder)/\(run)",
            start: start.map { "\(folder)/\($0)" })
    }
}
