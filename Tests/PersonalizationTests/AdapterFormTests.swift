import Backbones
import Checkpoints
import ComputeTesting
import Foundation
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Personalization

/// One update in every form, and what cannot be read.
@Suite(.computing) struct AdapterFormTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        .path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func weights() -> Weights {
        let weights = Weights(.fresh(seed: 5))
        _ = LinearLayer(weights, "blocks.0.attn_in.to_q", from: 6, to: 4, bias: false)
        _ = LinearLayer(weights, "blocks.1.to_out", from: 4, to: 6, bias: false)
        return weights
    }

    private func adapter() throws -> (LoRAAdapter, path: String) {
        let weights = weights()
        let lora = try LoRAAdapter(
            for: weights, options: .init(rank: 2, alpha: 6, targets: ["to_q", "to_out"]), seed: 1)
        for (index, parameter) in lora.parameters.enumerated() {
            for i in 0..<parameter.value.count { parameter.value.pointer[i] = Float((i * 7 + index) % 5) / 8 - 0.25 }
        }
        let description = Adapter.Description(
            method: "lora", model: "m", modelDigest: "", concept: "rex", role: .subject, className: "dog", seed: 0,
            iterations: 0, options: "")
        let path = folder + "/rex.safetensors"
        try Adapter(lora, description: description).write(path)
        return (lora, path)
    }

    @Test(arguments: AdapterFormat.allCases) func theSameUpdateIsInEveryForm(format: AdapterFormat) throws {
        let (lora, path) = try adapter()
        let direct = weights()
        try lora.merge(into: direct)
        let read = try AdapterReader(path).read().changes
        let out = folder + "/" + (format == .peft ? "peft" : "\(format.rawValue).safetensors")
        try AdapterWriter(read).write(format, to: out)
        let other = weights()
        let changes = try AdapterChanges(path: out, for: AdapterTargets(other))
        #expect(changes.format == format)
        changes.merge()
        for (a, b) in zip(direct.parameters, other.parameters) {
            #expect(zip(a.value.values, b.value.values).allSatisfy { abs($0 - $1) < 1e-3 }, "\(a.name)")
            #expect(a.value.values != weights().byName[a.name]!.value.values)
        }
    }

    @Test func aKeyWithoutAPlaceIsNamed() throws {
        let (_, path) = try adapter()
        let read = try AdapterReader(path).read().changes
        let out = folder + "/kohya.safetensors"
        try AdapterWriter(
            Dictionary(uniqueKeysWithValues: read.map { (.init(name: "other." + $0.key.name), $0.value) })
        )
        .write(.kohya, to: out)
        do {
            _ = try AdapterChanges(path: out, for: AdapterTargets(weights()))
            Issue.record("read")
        } catch { #expect("\(error)".contains("other_blocks_1_to_out"), "\(error)") }
    }
}
