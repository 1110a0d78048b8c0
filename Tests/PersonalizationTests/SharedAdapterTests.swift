import Backbones
import ComputeTesting
import Images
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Personalization

/// One adapter under several names, and less of one than all.
@Suite(.computing) struct SharedAdapterTests {
    private func lora(alpha: Float = 4) throws -> any ConceptTraining {
        var options = LoRAOptions()
        (options.rank, options.alpha, options.priorPreservation) = (2, alpha, false)
        return try LoRATraining(
            tinyModel().dreamBooth(of: tinyConcept(), priorPictures: 0, seed: 7),
            concept: tinyConcept(), options: options, seed: 7)
    }

    private func learnt(_ training: any ConceptTraining, steps: Int = 3) throws -> Adapter {
        for _ in 0..<steps { _ = training.advance() }
        return try training.adapter(modelDigest: "d")
    }

    private func arbooth(steps: Int) throws -> Adapter {
        var options = ARBoothOptions()
        (options.iterations, options.distillation) = (steps, false)
        return try learnt(
            try ARBoothTraining(model: tinyModel(), subject: tinyConcept(), options: options, seed: 7), steps: steps)
    }

    private func draw(
        _ adapters: [String: Adapter], _ prompt: String = "a <rex> dog", strengths: [String: Float] = [:]
    ) throws -> [Picture] {
        try PersonalizedModel(model: tinyModel(), adapters: adapters, modelDigest: "d", strengths: strengths)
            .generate([prompt], seeds: [1])
    }

    @Test func aVersionAndTheNewestActOnceWhereTheyAreTheSame() throws {
        for adapter in [try learnt(lora()), try arbooth(steps: 2)] {
            #expect(try draw(["rex": adapter, "rex@1": adapter]) == draw(["rex": adapter]))
        }
        let (first, second) = (try arbooth(steps: 1), try arbooth(steps: 2))
        #expect(throws: AdapterError.conflicting(["rex", "rex@1"])) { try draw(["rex": second, "rex@1": first]) }
    }

    /// Neither its weights nor its word are felt.
    @Test func ofNothingNothingActs() throws {
        let (first, second) = (try arbooth(steps: 1), try arbooth(steps: 8))
        #expect(first.placeholder?.values != second.placeholder?.values)
        #expect(try draw(["rex": first], strengths: ["rex": 0]) == draw(["rex": second], strengths: ["rex": 0]))
        #expect(try draw(["rex": second], strengths: ["rex": 1]) == draw(["rex": second]))
    }

    /// With another alpha too, a training goes on from what was learnt, not from a multiple of it.
    @Test func whatGoesOnCountsAsItDid() throws {
        let earlier = try learnt(lora(alpha: 4))
        let later = try lora(alpha: 64)
        try later.begin(with: earlier)
        let own = try #require(try later.adapter(modelDigest: "d").lora())
        for (module, update) in try #require(try earlier.lora()).updates {
            let now = try #require(own.updates[module]).matrix.values
            #expect(zip(update.matrix.values, now).allSatisfy { abs($0 - $1) < 1e-5 }, "\(module)")
        }
    }

    /// Self-attention that was learnt too, or a word, would be gone from the next version.
    @Test func whatHoldsMoreThanLearnsIsNotGoneOnFrom() throws {
        func training(_ change: (inout ARBoothOptions) -> Void) throws -> ARBoothTraining {
            var options = ARBoothOptions()
            (options.iterations, options.distillation) = (1, false)
            change(&options)
            return try ARBoothTraining(model: tinyModel(), subject: tinyConcept(), options: options, seed: 7)
        }
        let whole = try learnt(training { $0.tuning = .full }, steps: 1)
        let named = try learnt(training { _ in }, steps: 1)
        #expect(throws: AdapterError.self) { try training { _ in }.begin(with: whole) }
        #expect(throws: AdapterError.unknownWeight(concept: "rex", name: Adapter.placeholderName)) {
            try training { $0.learnsPlaceholder = false }.begin(with: named)
        }
        try training { $0.tuning = .full }.begin(with: whole)
        try training { _ in }.begin(with: named)
    }
}
