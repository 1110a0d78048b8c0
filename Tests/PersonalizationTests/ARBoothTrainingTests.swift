import Autograd
import Backbones
import ComputeTesting
import Foundation
import Images
import Layers
import LittleWorld
import ModelTesting
import Personalization
import Tensors
import Testing

private func training(
    _ model: InfinityModel, _ change: (inout ARBoothOptions) -> Void = { _ in }
) throws -> ARBoothTraining {
    var options = ARBoothOptions()
    options.distillationMaps = 4
    options.learningRate = 1e-2
    change(&options)
    let references = Subject.heldOut(.dog, index: 0).references(count: 4).map { $0.paint(size: 16) }
    return try ARBoothTraining(
        model: model, subject: .init(name: "rex", className: "dog", references: references), options: options, seed: 7)
}

private func bytes(_ adapter: Adapter) -> [String: [UInt32]] {
    adapter.tensors.mapValues { $0.values.map(\.bitPattern) }
}
private func adapter(_ training: ARBoothTraining) -> Adapter { try! training.adapter(modelDigest: "d") }

@Suite(.computing) struct ARBoothTrainingTests {
    @Test(arguments: AdamW.Precision.allCases)
    func aRunResumedFromACheckpointEndsWithTheSameBits(precision: AdamW.Precision) throws {
        let undisturbed = try training(tinyModel()) { $0.moments = precision }
        for _ in 0..<10 { _ = undisturbed.advance() }
        let first = try training(tinyModel()) { $0.moments = precision }
        for _ in 0..<4 { _ = first.advance() }
        let second = try training(tinyModel()) { $0.moments = precision }
        try second.restore(first.state.written())
        #expect(second.step == 4)
        for _ in 0..<6 { _ = second.advance() }
        let ended = bytes(adapter(second))
        let expected = bytes(adapter(undisturbed))
        #expect(ended.keys == expected.keys)
        for name in expected.keys.sorted() { #expect((ended[name] == expected[name]) as Bool, "\(name) differs") }
    }

    @Test func blocksComputedOnceMoreComeToTheSameBits() throws {
        func run(most: Int) throws -> (ended: [String: [UInt32]], norm: Float) {
            try BlockRecomputation.$most.withValue(most) {
                let run = try training(tinyModel())
                var norm: Float = 0
                for _ in 0..<3 { norm = run.advance().gradientNorm }
                return (bytes(adapter(run)), norm)
            }
        }
        let (kept, recomputed) = (try run(most: .max), try run(most: 0))
        #expect(kept.ended == recomputed.ended)
        #expect(abs(kept.norm - recomputed.norm) <= 1e-5 * kept.norm, "gradients that are gone already count")
    }

    @Test func momentsInEightBitsLearnAsWell() throws {
        func losses(_ moments: AdamW.Precision) throws -> [Float] {
            let run = try training(tinyModel()) {
                $0.moments = moments
                $0.largestFlipShare = 0
            }
            return (0..<100).map { _ in run.advance().subject }
        }
        let (floats, codes) = (try losses(.single), try losses(.eightBit))
        #expect(floats[0] == codes[0] && floats != codes)
        func end(_ losses: [Float]) -> Float { losses.suffix(20).reduce(0, +) / 20 }
        #expect(abs(end(codes) - end(floats)) < 0.05 * end(floats))
    }

    /// Of references that nothing is cut off: once each was drawn, a step encodes none.
    @Test func aReferenceIsEncodedOnce() throws {
        let run = try training(tinyModel())
        let steps = (0..<20).map { _ in
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) { _ = run.advance() }
            return profile.operations
        }
        #expect(steps[0] > steps[19] && Set(steps.suffix(5)).count == 1, "\(steps)")
    }

    /// Where the subject's word does not learn, its prompt stays what it is.
    @Test func aPromptThatStaysIsReadBeforeTheFirstStep() throws {
        let model = try tinyModel()
        let run = try training(model) { $0.learnsPlaceholder = false }
        for weight in model.textWeights.parameters {
            weight.value.assign(Tensor(repeating: .nan, shape: weight.shape))
        }
        #expect(run.advance().total.isFinite)
    }

    @Test func onlyCrossAttentionAndFeedForwardChange() throws {
        let model = try tinyModel()
        let before = model.transformerWeights.parameters.map { ($0.name, $0.value.copy()) }
        let run = try training(model)
        for _ in 0..<3 { _ = run.advance() }
        for (name, old) in before {
            let parts = name.split(separator: ".")
            let isTuned = parts[0].hasPrefix("block") && parts.contains { ["ca", "ca_norm", "ffn"].contains($0) }
            #expect((model.transformerWeights.byName[name]!.value.values != old.values) == isTuned, "\(name)")
        }
        #expect(Set(adapter(run).tensors.keys).contains(Adapter.placeholderName))
    }

    /// What must stay is what people ask for: the class under its own article.
    @Test func theClassIsCalledAsPromptsCallIt() {
        let owl = Concept(name: "hedwig", className: "owl", references: tinyConcept().references)
        #expect(owl.plainPrompt == "a <hedwig> owl" && owl.plainClassPrompt == "an owl")
        #expect(tinyConcept().plainClassPrompt == "a dog")
    }

    @Test func eachPartCanBeSwitchedOff() throws {
        let full = try training(tinyModel()) { $0.tuning = .full }
        let none = try training(tinyModel()) { $0.distillation = false }
        #expect(full.advance().gradientNorm > 0)
        #expect(none.advance().distillation == 0)
        #expect(adapter(full).tensors.count > adapter(none).tensors.count)
    }

    @Test func theLossFalls() throws {
        // In a model that never learnt, blocks are hardly felt.
        let model = try tinyModel()
        for parameter in model.transformerWeights.parameters where parameter.isProjection {
            parameter.value.accumulate(parameter.value.copy(), scale: 4)
        }
        let run = try training(model) { ($0.largestFlipShare, $0.distillation) = (0, false) }
        // Which references a step draws makes more of a difference than a few steps of learning.
        let first = (0..<10).map { _ in run.advance().subject }.reduce(0, +)
        for _ in 0..<200 { _ = run.advance() }
        let last = (0..<10).map { _ in run.advance().subject }.reduce(0, +)
        #expect(last < first * 0.9)
    }

    @Test func weightsFollowThePapersEightOfThirteen() {
        let options = ARBoothOptions()
        #expect(options.earlyScaleCount(of: 13) == 8)
        #expect(options.earlyScaleCount(of: 7) == 4)
        let schedule = ScaleSchedule.square([1, 2, 3, 4, 5, 6, 8])
        let weights = ARBoothLoss.subjectWeights(options, schedule: schedule, batch: 1, bits: 1)
        #expect(weights[29] == 1 / 155 && weights[30] == 0.5 / 155)
    }

    @Test func anAdapterComesBackFromItsFileAndServesGeneration() throws {
        let model = try tinyModel()
        let run = try training(model)
        for _ in 0..<3 { _ = run.advance() }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-\(UUID().uuidString).safetensors"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try adapter(run).write(path)
        let read = try Adapter(path: path)
        #expect(read.description == adapter(run).description)
        let fresh = try tinyModel()
        fresh.freeze()
        let personalized = try PersonalizedModel(model: fresh, adapters: ["rex": read], modelDigest: "d")
        #expect(
            personalized.generate(["a <rex> dog"], seeds: [1]) == personalized.generate(["a <rex> dog"], seeds: [1]))
        #expect(throws: AdapterError.self) {
            try PersonalizedModel(model: fresh, adapters: ["rex": read], modelDigest: "other")
        }
        let narrow = Adapter(description: read.description, tensors: [Adapter.placeholderName: Tensor(zeros: [1, 7])])
        #expect(throws: AdapterError.unknownWeight(concept: "rex", name: Adapter.placeholderName)) {
            try PersonalizedModel(model: fresh, adapters: ["rex": narrow], modelDigest: "d")
        }
        _ = run.advance()
        let later = try adapter(run)
        #expect(throws: AdapterError.conflicting(["max", "rex"])) {
            try PersonalizedModel(model: fresh, adapters: ["rex": read, "max": later], modelDigest: "d")
        }
    }

    @Test func aPictureDoesNotDependOnItsNeighbours() throws {
        let model = try tinyModel()
        model.freeze()
        let personalized = try PersonalizedModel(model: model, adapters: [:], modelDigest: "d")
        let together = personalized.generate(["a red dog", "a blue car in the snow"], seeds: [3, 4])
        #expect(together[1] == personalized.generate(["a blue car in the snow"], seeds: [4])[0])
    }
}
