import Checkpoints
import ComputeTesting
import Foundation
import Jobs
import Layers
import ModelTesting
import ServerTesting
import Tensors
import Testing

@testable import Engine

/// What is wrong with a model is found by reading it as a job does, before a job does.
@Suite(.computing) struct ModelTrialTests {
    private let models: TinyModels

    init() throws { models = try TinyModels() }

    /// Rewrites one file of a model's weights.
    private func change(_ file: String, _ body: (inout [String: Tensor]) -> Void) throws -> ModelTrialReport {
        let path = "\(models.folder)/\(file)"
        var tensors = try Checkpoint.tensors(path)
        body(&tensors)
        try Safetensors.write(tensors, to: path)
        return ModelTrial((path as NSString).deletingLastPathComponent).report()
    }

    @Test(arguments: ["pocket-infinity", "pocket-chameleon", "pocket-llamagen", "pocket-diffusion"])
    func aWholeModelHasNoProblems(_ name: String) {
        #expect(ModelTrial("\(models.folder)/\(name)").report() == ModelTrialReport(problems: []))
    }

    @Test func theEncodersThatShipHaveNone() {
        for name in ["pocket-clip", "pocket-dino", "classifier"] {
            #expect(ModelTrial(Servers.root + "/models/\(name)").report() == ModelTrialReport(problems: []), "\(name)")
        }
    }

    @Test func everyTensorThatIsMissingMisshapenOrNoNumberIsNamed() throws {
        let report = try change("pocket-diffusion/autoencoder.safetensors") { tensors in
            tensors["decoder.conv_out.weight"] = nil
            tensors["decoder.conv_in.bias"] = Tensor(zeros: [3])
            tensors["encoder.conv_in.bias"]?.pointer[0] = .nan
        }
        #expect(report.untried == nil && report.problems.count == 3, "\(report)")
        for problem in [
            "decoder.conv_out.weight is missing, expected shape [3, ", "decoder.conv_in.bias has shape [3], expected [",
            "encoder.conv_in.bias holds values that are no numbers",
        ] {
            #expect(report.problems.contains { $0.hasPrefix(problem) }, "\(report.problems)")
        }
    }

    /// What is said of a model whose settings are rewritten.
    private func problems(_ model: String, _ body: (JSONValue) -> JSONValue) throws -> [String] {
        try models.change("\(model)/config.json", body)
        return ModelTrial("\(models.folder)/\(model)").report().problems
    }

    /// Where they end before a picture does, the first job would stop the engine.
    @Test func placesThatDoNotReachAreTold() throws {
        func chameleon(_ places: JSONValue) throws -> [String] {
            try problems("pocket-chameleon") {
                $0.adding("transformer", $0["transformer"]?.adding("longestSequence", places))
            }
        }
        #expect(try chameleon(27) == [])
        let sequence = try chameleon(26)
        let infinity = try problems("pocket-infinity") {
            $0.adding("transformer", $0["transformer"]?.adding("levels", 2))
        }
        let diffusion = try problems("pocket-diffusion") { $0.adding("pictureSize", 32) }
        for (said, part) in [
            (sequence, "/transformer/longestSequence: 26; a picture of 16×16 pixels and the shortest prompt take 27"),
            (infinity, "/transformer/levels: 2; its pictures are drawn in 3 scales"),
            (diffusion, "draws no pictures of 32×32 pixels: its network takes sides that 8 divides, of 16 at most"),
        ] {
            #expect(said.count == 1 && said[0].contains(part), "\(said)")
        }
    }

    @Test func aModelThatDoesNotFitTheMemoryIsNotRead() throws {
        _ = try change("pocket-infinity/transformer.safetensors") { $0 = [:] }
        let report = ModelTrial("\(models.folder)/pocket-infinity", freeBytes: 1 << 10).report()
        #expect(report.problems == [] && report.untried?.contains(" MiB of memory here, and 0 MiB are free") == true)
        #expect(ModelTrial("\(models.folder)/pocket-infinity").report().problems.isEmpty == false)
        #expect(try #require(ModelTrial.hostFreeBytes) > 1 << 20)
    }

    @Test func aFolderThatIsNoModelIsTold() {
        #expect(ModelTrial("/nowhere").report().problems.first?.contains("cannot be read") == true)
    }
}
