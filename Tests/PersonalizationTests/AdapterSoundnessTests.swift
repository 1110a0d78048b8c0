import ComputeTesting
import Foundation
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Personalization

/// Adapters as broken files and trainings gone wrong leave them.
@Suite(.computing) struct AdapterSoundnessTests {
    private func lora(_ change: (inout [String: Tensor], inout Adapter.Description) -> Void) throws -> Adapter {
        var options = LoRAOptions()
        (options.rank, options.priorPreservation) = (2, false)
        let training = try LoRATraining(
            backbone: .infinity(tinyModel(), concept: tinyConcept(), priorPictures: 0, seed: 7),
            concept: tinyConcept(), options: options, seed: 7)
        for _ in 0..<2 { _ = training.advance() }
        let adapter = try training.adapter(modelDigest: "d")
        var (tensors, description) = (adapter.tensors.mapValues { $0.copy() }, adapter.description)
        change(&tensors, &description)
        return Adapter(description: description, tensors: tensors)
    }

    private func use(_ adapter: Adapter) throws {
        _ = try PersonalizedModel(model: tinyModel(), adapters: ["rex": adapter], modelDigest: "d")
    }

    @Test func aWholeAdapterIsUsedWithoutAWord() throws {
        let adapter = try lora { _, _ in }
        try use(adapter)
        #expect(adapter.warnings(usedAs: "rex") == [])
    }

    @Test(arguments: [Float.nan, .infinity])
    func valuesThatAreNoNumbersAreRefusedByTheFile(_ value: Float) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var changed = ""
        try lora { tensors, _ in
            changed = tensors.keys.filter { $0.contains("lora_B") }.min()!
            tensors[changed]!.pointer[0] = value
        }.write(path)
        #expect(throws: AdapterError.notFinite(concept: "rex", name: changed)) { try Adapter(path: path) }
    }

    @Test func halfOfItsModulesAreNotEnough() throws {
        var whole = 0
        let adapter = try lora { tensors, _ in
            whole = tensors.count / 2
            for name in tensors.keys.sorted().dropFirst(whole / 2 * 2) { tensors[name] = nil }
        }
        #expect(throws: AdapterError.incomplete(concept: "rex", found: whole / 2, wanted: whole)) { try use(adapter) }
    }

    @Test func anAlphaThatDrownsTheModelIsRefused() throws {
        let adapter = try lora { _, description in
            description.options = description.options.replacing(#/"alpha":[0-9.]+/#, with: "\"alpha\":1e30")
        }
        #expect { try use(adapter) } throws: { if case AdapterError.excessive = $0 { true } else { false } }
    }

    @Test func anAdapterThatChangesNothingAndOneOfAnotherNameAreUsedWithAWarning() throws {
        let zero = try lora { tensors, _ in
            for name in tensors.keys where name.contains("lora_B") { tensors[name]!.fill(0) }
        }
        try use(zero)
        #expect(zero.warnings(usedAs: "rex").count == 1 && zero.warnings(usedAs: "rex")[0].contains("changes nothing"))
        let other = try lora { _, description in description.concept = "other" }
        try use(other)
        #expect(other.warnings(usedAs: "rex").count == 1 && other.warnings(usedAs: "rex")[0].contains("other"))
    }

    @Test func ofARBoothTooAllWeightsMustBeThere() throws {
        let training = try ARBoothTraining(
            model: tinyModel(), subject: tinyConcept(), options: quickARBooth, seed: 7)
        let whole = try training.adapter(modelDigest: "d")
        try use(whole)
        var tensors = whole.tensors
        tensors[whole.replaced.keys.min()!] = nil
        let count = whole.replaced.count
        #expect(throws: AdapterError.incomplete(concept: "rex", found: count - 1, wanted: count)) {
            try use(Adapter(description: whole.description, tensors: tensors))
        }
    }

    private var quickARBooth: ARBoothOptions {
        var options = ARBoothOptions()
        (options.iterations, options.distillation) = (1, false)
        return options
    }
}
