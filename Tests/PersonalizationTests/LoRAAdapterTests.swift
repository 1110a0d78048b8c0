import Backbones
import Checkpoints
import ComputeTesting
import Foundation
import Layers
import Tensors
import Testing

@testable import Personalization

private let configuration = ChameleonTransformer.Configuration(
    vocabularySize: 20, width: 8, feedForwardWidth: 12, depth: 2, heads: 2, longestSequence: 16)
private let ids: [Int32] = [1, 5, 7, 9, 11, 13]

private func model() -> (model: ChameleonTransformer, weights: Weights) {
    let weights = Weights(.fresh(seed: 1))
    return (ChameleonTransformer(configuration, weights), weights)
}

private func adapter(for weights: Weights, targets: [String] = ["q_proj", "down_proj"]) throws -> LoRAAdapter {
    let adapter = try LoRAAdapter(for: weights, options: .init(rank: 3, alpha: 6, targets: targets), seed: 2)
    for (index, parameter) in adapter.parameters.enumerated() {
        parameter.value.assign(.example(parameter.value.shape, seed: UInt64(index), scale: 0.3))
    }
    return adapter
}

@Suite(.computing) struct LoRAAdapterTests {
    @Test func aFreshAdapterChangesNothing() throws {
        let (model, weights) = model()
        let before = model.logits(ids, batch: 1).value.values
        let adapter = try LoRAAdapter(for: weights, options: .init(targets: ["q_proj", "v_proj"]), seed: 3)
        try adapter.attach(to: weights)
        #expect(model.logits(ids, batch: 1).value.values == before)
        #expect(adapter.updates.count == 4)
    }

    @Test func mergingGivesWhatAttachingGivesAndCanBeTakenBack() throws {
        let (model, weights) = model()
        let adapter = try adapter(for: weights)
        let before = model.logits(ids, batch: 1).value.values
        try adapter.attach(to: weights)
        let attached = model.logits(ids, batch: 1).value.values
        adapter.detach(from: weights)
        #expect(model.logits(ids, batch: 1).value.values == before)
        #expect(largestDifference(attached, before) > 1e-3)
        try adapter.merge(into: weights)
        #expect(largestDifference(model.logits(ids, batch: 1).value.values, attached) < 1e-5)
        try adapter.merge(into: weights, share: -1)
        #expect(largestDifference(model.logits(ids, batch: 1).value.values, before) < 1e-5)
    }

    /// Weights that their file has in bfloat16 stay there, and in floats the model would take twice the memory.
    @Test func changesStandBesideWhatStaysInItsFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
            .path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let tensors = Dictionary(uniqueKeysWithValues: model().weights.parameters.map { ($0.name, $0.value) })
        try Safetensors.write(tensors, to: path, precision: .bfloat16)
        func logits(widening: Bool) throws -> (values: [Float], staying: Int) {
            let weights = Weights(.stored(try .open(path)))
            let model = ChameleonTransformer(configuration, weights)
            if widening { for parameter in weights.parameters { _ = parameter.value } }
            try adapter(for: weights).join(weights, share: 0.5)
            return (model.logits(ids, batch: 1).value.values, weights.parameters.count { $0.mapped != nil })
        }
        let (beside, added) = try (logits(widening: false), logits(widening: true))
        #expect(beside.staying > 0 && added.staying == 0)
        #expect(largestDifference(beside.values, added.values) < 1e-5)
        let untouched = ChameleonTransformer(configuration, Weights(.stored(try .open(path))))
        #expect(largestDifference(beside.values, untouched.logits(ids, batch: 1).value.values) > 1e-3)
    }

    @Test func itComesBackFromItsDirectory() throws {
        let (_, weights) = model()
        let adapter = try adapter(for: weights)
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try adapter.write(directory)
        let read = try LoRAAdapter(directory: directory)
        #expect(read.options.rank == 3 && read.options.alpha == 6 && read.options.targets == ["down_proj", "q_proj"])
        #expect(read.parameters.map(\.name) == adapter.parameters.map(\.name))
        for (a, b) in zip(read.parameters, adapter.parameters) {
            #expect(a.value.values == b.value.values, "\(a.name)")
        }
    }

    /// As in what `concepts export` writes: one phrase, which cannot tell the words of several.
    @Test func itsHeaderSaysTheWordOfItsConcept() throws {
        let (_, weights) = model()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func header(_ words: (concept: String, word: String)...) throws -> [String: String] {
            try adapter(for: weights).write(directory, words: words)
            return try Safetensors(path: directory + "/adapter_model.safetensors").metadata
        }
        #expect(try header(("rex", "sks")) == ["format": "pt", "modelspec.trigger_phrase": "sks"])
        #expect(try header(("rex", "sks"), ("mia", "ohwx")) == ["format": "pt"])
        #expect(try header(("rex", "<unk>")) == ["format": "pt"])
    }

    @Test func onlyTheAdapterLearns() throws {
        let (model, weights) = model()
        let adapter = try adapter(for: weights)
        weights.train { _ in false }
        try adapter.attach(to: weights)
        for parameter in adapter.parameters { parameter.isTrainable = true }
        let logits = model.logits(ids, batch: 1)
        logits.backward(seed: .example(logits.shape, seed: 8))
        #expect(weights.parameters.allSatisfy { $0.gradient == nil })
        for parameter in adapter.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name)")
        }
    }

    @Test func whatCannotBeUsedIsRefusedByName() throws {
        let (_, weights) = model()
        let known = ["down_proj", "gate_proj", "k_proj", "lm_head", "o_proj", "q_proj", "up_proj", "v_proj"]
        #expect(throws: LoRAError.noSuchModule("embed_tokens", known: known)) {
            try LoRAAdapter(for: weights, options: .init(targets: ["embed_tokens"]), seed: 1)
        }
        var narrow = configuration
        narrow.width = 4
        let other = Weights(.fresh(seed: 1))
        _ = ChameleonTransformer(narrow, other)
        #expect(throws: LoRAError.doesNotFit(module: "model.layers.0.mlp.down_proj", shape: [8, 12])) {
            try adapter(for: weights).attach(to: other)
        }
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try adapter(for: weights).write(directory.path)
        let path = directory.appendingPathComponent("adapter_config.json")
        let text = try String(contentsOf: path, encoding: .utf8).replacingOccurrences(
            of: "\"bias\" : \"none\"", with: "\"bias\" : \"all\"")
        try text.write(to: path, atomically: true, encoding: .utf8)
        #expect(throws: CheckpointError(path: path.path, problem: "biases are not built")) {
            try LoRAAdapter(directory: directory.path)
        }
    }
}
