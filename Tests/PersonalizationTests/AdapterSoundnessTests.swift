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
            tinyModel().dreamBooth(of: tinyConcept(), priorPictures: 0, seed: 7),
            concept: tinyConcept(), options: options, seed: 7)
        for _ in 0..<2 { _ = training.advance() }
        return changed(try training.adapter(modelDigest: "d"), change)
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

    @Test func anAlphaOfZeroOrNothingToMultiplyWithIsToldToo() throws {
        let mute = try lora { _, description in
            description.options = description.options.replacing(#/"alpha":[0-9.]+/#, with: "\"alpha\":0")
        }
        let empty = try lora { tensors, _ in
            for name in tensors.keys where name.contains("lora_A") { tensors[name]!.fill(0) }
        }
        for adapter in [mute, empty] {
            try use(adapter)
            #expect(adapter.warnings(usedAs: "rex").count == 1)
        }
    }

    @Test func anAdapterOfAnotherMethodIsRefused() throws {
        let adapter = try lora { _, description in description.method = .coar }
        #expect { try use(adapter) } throws: { "\($0)".contains("its method is coar") }
    }

    /// A model that was replaced keeps its name.
    @Test func anAdapterOfOtherWeightsOfAModelIsToldApartFromAnotherModels() throws {
        let replaced = try lora { _, description in description.modelDigest = "e" }
        let model = replaced.description.model
        #expect { try use(replaced) } throws: { "\($0)".contains("on other weights of \(model) than") }
        let other = try lora { _, description in (description.modelDigest, description.model) = ("e", "other") }
        #expect { try use(other) } throws: { "\($0)".contains("the model other and cannot be used with \(model)") }
    }

    // MARK: ARBooth

    @Test func ofARBoothTooAllWeightsMustBeThere() throws {
        let whole = try arbooth()
        try use(whole)
        let count = whole.replaced.count
        #expect(throws: AdapterError.incomplete(concept: "rex", found: count - 1, wanted: count)) {
            try use(changed(whole) { tensors, _ in tensors[whole.replaced.keys.min()!] = nil })
        }
    }

    @Test func ofARBoothOptionsThatCannotBeReadAreNoWayRoundThat() throws {
        let adapter = try changed(arbooth()) { _, description in description.options = "{}" }
        #expect { try use(adapter) } throws: { "\($0)".contains("its options are not those of arbooth") }
    }

    @Test func ofARBoothEveryWeightIsHeldAgainstTheOneItReplaces() throws {
        let whole = try arbooth()
        for name in whole.replaced.keys.sorted() + [Adapter.placeholderName] {
            let huge = changed(whole) { tensors, _ in
                for i in 0..<tensors[name]!.count { tensors[name]!.pointer[i] = 1000 * tensors[name]!.pointer[i] + 1e3 }
            }
            #expect { try use(huge) } throws: { if case AdapterError.excessive = $0 { true } else { false } }
        }
        let matrix = whole.replaced.keys.filter { $0.hasSuffix("mat_kv.weight") }.min()!
        for name in [matrix, Adapter.placeholderName] {
            let zero = changed(whole) { tensors, _ in tensors[name]!.fill(0) }
            #expect { try use(zero) } throws: { if case AdapterError.emptied = $0 { true } else { false } }
        }
    }

    /// Its weights learn in place: what they were is gone when the adapter is first drawn with.
    @Test func ofARBoothATrainingItselfTellsAChangeThatIsTooLarge() throws {
        let training = try ARBoothTraining(
            model: tinyModel(), subject: tinyConcept(), options: Self.brief, seed: 7)
        _ = training.advance()
        #expect(training.excess == nil)
        let names = training.learning.keys.sorted()
        for ending in ["mat_kv.weight", "ffn.fc1.bias"] {
            let name = try #require(names.first { $0.hasSuffix(ending) })
            let tensor = training.learning[name]!.value
            let before = tensor.copy()
            for i in 0..<tensor.count { tensor.pointer[i] = 1000 * tensor.pointer[i] + 1e3 }
            #expect(training.excess?.module == name)
            tensor.assign(before)
        }
        #expect(training.excess == nil)
    }

    /// As floats beside the model it would take the memory of the model's weights once more.
    @Test func whatARBoothLearntStaysInItsFileUntilItIsUsed() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let learnt = try arbooth()
        try learnt.write(path)
        let read = try Adapter(path: path)
        #expect(read.replaced.values.allSatisfy { if case .file = $0 { true } else { false } })
        #expect(read.replaced.mapValues(\.shape) == learnt.replaced.mapValues(\.shape))
        let model = try tinyModel()
        _ = try PersonalizedModel(model: model, adapters: ["rex": read], modelDigest: "d")
        for (name, held) in learnt.replaced {
            let halves = held.tensor.values.map { Float(Float16($0)) }
            #expect(model.transformerWeights.byName[name]?.value.values == halves, "\(name)")
        }
        let later = try ARBoothTraining(
            model: tinyModel(), subject: tinyConcept(), options: Self.brief, seed: 7)
        try later.begin(with: read)
        #expect(later.learning.allSatisfy { read.held[$0]?.tensor.values == $1.value.values })
    }

    // MARK: CoAR

    @Test func ofCoAREveryLayerMustBeThereAndNoneDrownsTheWords() throws {
        let model = try tinyChameleon()
        var options = CoAROptions()
        (options.layers, options.priorPreservation) = (2, false)
        let whole = try CoARTraining(model: model, concept: tinyConcept(), options: options, seed: 7)
            .adapter(modelDigest: "d")
        func use(_ adapter: Adapter) throws {
            _ = try PersonalizedChameleon(model: model, adapters: ["rex": adapter], modelDigest: "d")
        }
        try use(whole)
        for name in whole.tensors.keys.sorted() {
            let one = changed(whole) { tensors, _ in tensors[name] = tensors[name]!.slice(0..<1) }
            #expect(throws: AdapterError.incomplete(concept: "rex", found: 1, wanted: 2)) { try use(one) }
            let huge = changed(whole) { tensors, _ in
                for i in 0..<tensors[name]!.count { tensors[name]!.pointer[i] *= 1e5 }
            }
            #expect { try use(huge) } throws: { if case AdapterError.excessive = $0 { true } else { false } }
            let zero = changed(whole) { tensors, _ in tensors[name]!.fill(0) }
            #expect(throws: AdapterError.emptied(concept: "rex", name: name)) { try use(zero) }
        }
        let other = changed(whole) { _, description in description.options = "nonsense" }
        #expect { try use(other) } throws: { "\($0)".contains("its options are not those of coar") }
    }

    private static var brief: ARBoothOptions {
        var options = ARBoothOptions()
        (options.iterations, options.distillation) = (1, false)
        return options
    }

    private func arbooth() throws -> Adapter {
        try ARBoothTraining(model: tinyModel(), subject: tinyConcept(), options: Self.brief, seed: 7)
            .adapter(modelDigest: "d")
    }

    private func changed(
        _ adapter: Adapter, _ change: (inout [String: Tensor], inout Adapter.Description) -> Void
    ) -> Adapter {
        var (tensors, description) = (adapter.tensors.mapValues { $0.copy() }, adapter.description)
        change(&tensors, &description)
        return Adapter(description: description, tensors: tensors)
    }
}
