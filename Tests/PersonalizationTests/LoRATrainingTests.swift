import Backbones
import ComputeTesting
import Foundation
import Layers
import ModelTesting
import Personalization
import Tensors
import Testing

private enum Backbone: String, CaseIterable { case infinity, chameleon, llamagen, diffusion }

private func backbone(_ kind: Backbone, priorPictures: Int = 4) throws -> DreamBooth {
    switch kind {
    case .infinity: .infinity(try tinyModel(), concept: tinyConcept(), priorPictures: priorPictures, seed: 7)
    case .chameleon: .chameleon(try tinyChameleon(), concept: tinyConcept(), priorPictures: priorPictures, seed: 7)
    case .llamagen: .llamagen(try tinyLlamaGen(), concept: tinyConcept(), priorPictures: priorPictures, seed: 7)
    case .diffusion: .diffusion(try tinyDiffusion(), concept: tinyConcept(), priorPictures: priorPictures, seed: 7)
    }
}

extension Backbone {
    fileprivate var heads: [String] {
        switch self {
        case .infinity: ["head", "ffn.fc2"]
        case .chameleon: ["lm_head", "down_proj"]
        case .llamagen: ["output", "feed_forward.w2"]
        case .diffusion: ["proj_out", "ff.net.2"]
        }
    }
}

private func training(_ kind: Backbone, _ change: (inout LoRAOptions) -> Void = { _ in }) throws -> LoRATraining {
    var options = LoRAOptions()
    options.rank = 2
    options.priorPictures = 4
    change(&options)
    return try LoRATraining(
        backbone: backbone(kind, priorPictures: options.priorPreservation ? 4 : 0), concept: tinyConcept(),
        options: options, seed: 7)
}

private func bytes(_ training: LoRATraining) throws -> [String: [UInt32]] {
    try training.adapter(modelDigest: "d").tensors.mapValues { $0.values.map(\.bitPattern) }
}

@Suite(.computing) struct LoRATrainingTests {
    @Test(arguments: Backbone.allCases)
    private func theLossFalls(kind: Backbone) throws {
        let run = try training(kind) {
            $0.largestZoom = 1
            $0.learningRate = 2e-2
            // A fresh model's attention hardly matters to what it says.
            $0.targets = kind.heads
        }
        // A diffusion model's loss is as random as its noise.
        let window = kind == .diffusion ? 100 : 5
        let first = (0..<window).map { _ in run.advance().concept }.reduce(0, +)
        for _ in 0..<100 { _ = run.advance() }
        #expect((0..<window).map { _ in run.advance().concept }.reduce(0, +) < first * 0.95)
    }

    @Test(arguments: Backbone.allCases)
    private func aRunResumedFromACheckpointEndsWithTheSameBits(kind: Backbone) throws {
        let undisturbed = try training(kind)
        let first = try training(kind)
        let second = try training(kind)
        for _ in 0..<5 { _ = undisturbed.advance() }
        for _ in 0..<2 { _ = first.advance() }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-\(UUID().uuidString).safetensors"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try first.state.write(path)
        try second.restore(OptimizerState(path: path))
        for _ in 0..<3 { _ = second.advance() }
        #expect(try bytes(second) == bytes(undisturbed))
    }

    @Test func frozenWeightsStayAndGetNoGradient() throws {
        let model = try tinyChameleon()
        let before = model.transformerWeights.parameters.map { $0.value.copy() }
        let booth = DreamBooth.chameleon(model, concept: tinyConcept(), priorPictures: 4, seed: 7)
        var options = LoRAOptions()
        options.priorPictures = 4
        let run = try LoRATraining(backbone: booth, concept: tinyConcept(), options: options, seed: 7)
        for _ in 0..<3 { _ = run.advance() }
        for (parameter, old) in zip(model.transformerWeights.parameters, before) {
            #expect(
                parameter.value.values == old.values && parameter.gradient == nil && parameter.node == nil,
                "\(parameter.name)")
        }
        run.detach()
        #expect(model.transformerWeights.parameters.allSatisfy { $0.update == nil })
    }

    @Test func withoutPriorPreservationNothingIsDrawn() throws {
        #expect(try training(.chameleon) { $0.priorPreservation = false }.advance().prior == 0)
        #expect(try training(.chameleon).advance().prior > 0)
    }

    @Test func anAdapterComesBackFromItsFileAndServesGeneration() throws {
        let run = try training(.chameleon) { $0.learningRate = 5e-2 }
        for _ in 0..<5 { _ = run.advance() }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-\(UUID().uuidString).safetensors"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try run.adapter(modelDigest: "d").write(path)
        let read = try Adapter(path: path)
        let model = try tinyChameleon()
        #expect(
            try read.lora()?.options == .init(rank: 2, alpha: 16, targets: ["q_proj", "k_proj", "v_proj", "o_proj"]))
        let plain = try PersonalizedChameleon(model: model, adapters: [:], modelDigest: "d").generate(
            ["a photo of <unk> dog"], seeds: [1])
        let adapted = try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "d")
        #expect(adapted.generate(["a photo of <rex> dog"], seeds: [1]) != plain)
        #expect(throws: AdapterError.self) {
            try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "other")
        }
        let infinity = try training(.infinity)
        _ = infinity.advance()
        let foreign = try infinity.adapter(modelDigest: "d")
        #expect(throws: AdapterError.self) {
            try PersonalizedChameleon(model: model, adapters: ["rex": foreign], modelDigest: "d")
        }
        #expect(
            try PersonalizedModel(model: tinyModel(), adapters: ["rex": foreign], modelDigest: "d").generate(
                ["a photo of <rex> dog"], seeds: [1]
            ).count == 1)
    }
}
