import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import Lab
import Layers
import Tensors
import Testing

private let fixtures = sharedFolder("fixtures")

/// Settings and shapes that the reference implementations take and none of the fixtures has.
@Suite(
    .computing, .serialized,
    .enabled(if: fixtures != nil, "the reference fixtures (../shared/fixtures) are not on this machine"))
struct FixtureVariantTests {
    /// What conformance says of a case with some of its settings, weights and recordings changed.
    private func report(
        _ name: String, _ settings: [String: JSONValue?] = [:], weights: ((inout [String: Tensor]) -> Void)? = nil,
        recorded: ((inout [String: Tensor]) -> Void)? = nil
    ) throws -> ConformanceReport {
        let files = FileManager.default
        let (source, target) = ("\(fixtures!)/\(name)", NSTemporaryDirectory() + "variant-" + UUID().uuidString)
        defer { try? files.removeItem(atPath: target) }
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        let old = try JSONValue(json: Data(contentsOf: URL(fileURLWithPath: "\(source)/case.json")))
        let config = settings.reduce(old["config"] ?? [:]) { $0.adding($1.key, $1.value) }
        try old.adding("config", config).line.write(to: URL(fileURLWithPath: "\(target)/case.json"))
        for (part, change) in [("weights", weights), ("io", recorded)] {
            guard let change else { continue }
            var tensors = try Checkpoint.tensors("\(source)/\(part).safetensors")
            change(&tensors)
            try Safetensors.write(tensors, to: "\(target)/\(part).safetensors")
        }
        for file in try files.contentsOfDirectory(atPath: source) where !files.fileExists(atPath: "\(target)/\(file)") {
            try files.copyItem(atPath: "\(source)/\(file)", toPath: "\(target)/\(file)")
        }
        return try Conformance.run(target)
    }

    /// The first eight of every sixteen along a dimension.
    private func halved(_ tensor: Tensor, _ dimension: Int) -> Tensor {
        var shape = tensor.shape
        let each = shape.dropFirst(dimension + 1).reduce(1, *)
        let rows = tensor.reshaped([tensor.count / each, each])
        let kept = (0..<rows.shape[0]).filter { $0 % 16 < 8 }.map { rows.slice($0..<$0 + 1) }
        shape[dimension] /= 2
        return Tensor.joined(kept).reshaped(shape)
    }

    /// - Parameter channels: the dimension of channels in what is predicted.
    @Test(arguments: [("sd3_mmdit", 1), ("flux", 2)])
    func aNetworkMayPredictOtherChannelsThanItReads(name: String, channels: Int) throws {
        let found = try report(
            name, ["out_channels": 8],
            weights: { weights in
                for part in ["proj_out.weight", "proj_out.bias"] { weights[part] = halved(weights[part]!, 0) }
            },
            recorded: { recorded in recorded["sample"] = halved(recorded["sample"]!, channels) })
        #expect(found.isWithin, "\(found.lines)")
    }

    /// The reference rounds four times the width to 256; below half of that the feed-forward is as wide as the model.
    @Test func aFeedForwardMayBeAsNarrowAsItsModel() throws {
        let found = try report(
            "infinity_transformer",
            weights: { weights in
                for name in weights.keys where name.hasSuffix(".ffn.fc1.weight") || name.hasSuffix(".ffn.fc1.bias") {
                    weights[name] = weights[name]!.slice(0..<40)
                }
                for name in weights.keys where name.hasSuffix(".ffn.fc2.weight") {
                    weights[name] = Tensor(zeros: [40, 40])
                }
            })
        #expect(found.lines.contains { $0.name == "logits" && $0.error.isFinite })
    }

    @Test func aLogitScaleMayStandInARowOfOne() throws {
        let found = try report("clip", weights: { $0["logit_scale"] = $0["logit_scale"]!.reshaped([1]) })
        #expect(found.isWithin, "\(found.lines)")
    }

    @Test func linearScalingDividesPositions() throws {
        func scaled(_ factor: Double) -> [String: JSONValue] {
            ["rope_parameters": ["rope_type": "linear", "factor": .number(factor), "rope_theta": 10000]]
        }
        #expect(try report("chameleon_transformer", scaled(1)).isWithin)
        let other = try report("chameleon_transformer", scaled(2))
        #expect(other.lines.contains { $0.name == "logits" && $0.error > 1e-3 && $0.error.isFinite })
    }

    /// They would be computed as if they asked for nothing.
    @Test(
        arguments: [
            ("chameleon_transformer", "hidden_act", "gelu"), ("autoencoder_kl_4ch", "act_fn", "relu"),
            ("sdxl_unet", "mid_block_scale_factor", 2), ("sdxl_unet", "flip_sin_to_cos", false),
        ] as [(String, String, JSONValue)])
    func aSettingThatIsNotBuiltIsRefused(name: String, setting: String, value: JSONValue) throws {
        let error = try #require(throws: ConformanceError.self) { try report(name, [setting: value]) }
        #expect(error.description.contains("\(setting) \(value.text) is not built"))
    }

    @Test(
        arguments: [
            ("flow_sd3", "shift_terminal", 0.1), ("flow_flux", "time_shift_type", "linear"),
            ("ddim", "thresholding", true), ("ddim", "eta", 1), ("euler_sdxl", "final_sigmas_type", "sigma_min"),
        ] as [(String, String, JSONValue)])
    func aScheduleThatIsNotBuiltIsRefused(kind: String, setting: String, value: JSONValue) throws {
        let error = try #require(throws: ConformanceError.self) { try report("schedulers", [kind: [setting: value]]) }
        #expect(error.description.contains("\(kind): \(setting) \(value.text) is not built"), "\(error)")
    }

    @Test func aCaseMayHaveFLUXsScheduleAlone() throws {
        let found = try report(
            "schedulers", ["flow_sd3": nil, "euler_sdxl": nil, "ddim": nil],
            recorded: { recorded in
                recorded = recorded.filter { $0.key.hasPrefix("flow_flux.") || ["A", "b", "x0"].contains($0.key) }
            })
        #expect(found.isWithin, "\(found.lines)")
    }

    @Test func aRecordedTensorThatNothingReadsIsAFailure() throws {
        let found = try report(
            "sd3_mmdit",
            recorded: { recorded in
                for name in ["grad.proj_out.weight", "junk"] { recorded[name] = Tensor(zeros: [1]) }
            })
        let failed = found.lines.filter { !$0.isWithin }.map(\.name)
        #expect(failed == ["grad.proj_out.weight (not compared)", "junk (not compared)"])
    }

    @Test func tiedEmbeddingsNeedNoHead() throws {
        func report(_ settings: [String: JSONValue]) throws -> ConformanceReport {
            try self.report("chameleon_transformer", settings, weights: { $0["lm_head.weight"] = nil })
        }
        let tied = try report(["tie_word_embeddings": true])
        #expect(tied.lines.contains { $0.name == "logits" && $0.error.isFinite })
        #expect(throws: WeightsError.self) { try report([:]) }
    }
}
