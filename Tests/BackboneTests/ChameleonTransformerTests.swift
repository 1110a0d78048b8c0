import Autograd
import Backbones
import ComputeTesting
import Layers
import Tensors
import Testing

private func configuration(ties: Bool = false) -> ChameleonTransformer.Configuration {
    var c = ChameleonTransformer.Configuration(
        vocabularySize: 20, width: 16, feedForwardWidth: 12, depth: 3, heads: 4, keyHeads: 2, longestSequence: 16)
    c.attentionBias = true
    c.feedForwardBias = true
    c.keyNormRows = 1
    c.tiesEmbeddings = ties
    return c
}

@Suite(.computing) struct ChameleonTransformerTests {
    /// Their gradient is that of both.
    @Test func tiedEmbeddingsAreAHeadOfTheSameNumbers() throws {
        let (tied, ids) = (Weights(.fresh(seed: 1)), [1, 4, 9, 3, 2, 6] as [Int32])
        let model = ChameleonTransformer(configuration(ties: true), tied)
        var tensors = Dictionary(uniqueKeysWithValues: tied.parameters.map { ($0.name, $0.value) })
        tensors["lm_head.weight"] = model.embedding.value
        let apart = Weights(.checkpoint(tensors))
        let other = ChameleonTransformer(configuration(), apart)
        try apart.verify()
        var logits: [[Float]] = []
        for (weights, model) in [(tied, model), (apart, other)] {
            weights.train { _ in true }
            let said = model.logits(ids, batch: 2)
            said.backward(seed: .example(said.shape, seed: 8))
            logits.append(said.value.values)
        }
        #expect(largestDifference(logits[0], logits[1]) < 1e-5)
        let both = try #require(model.embedding.gradient)
        let sum = try #require(other.embedding.gradient).copy()
        sum.accumulate(try #require(apart.byName["lm_head.weight"]?.gradient))
        #expect(largestDifference(both.values, sum.values) < 1e-4)
        let read = ChameleonDecoder(model, sequences: 1, capacity: 3).read([1, 4, 9], sequence: 0)
        #expect(largestDifference(read.values, last(model, [1, 4, 9])) < 1e-5)
    }

    /// Sequences of different lengths, read and continued side by side, get the logits each gets alone and
    /// teacher-forced.
    @Test func cachedLogitsAreThoseOfTheWholeSequence() {
        let model = ChameleonTransformer(configuration(), Weights(.fresh(seed: 1)))
        let prompts: [[Int32]] = [[1, 4, 9, 3, 2], [7, 8]]
        let more: [[Int32]] = [[5, 6], [10, 11]]
        let decoder = ChameleonDecoder(model, sequences: 2, capacity: 8)
        for (index, prompt) in prompts.enumerated() {
            #expect(largestDifference(decoder.read(prompt, sequence: index).values, last(model, prompt)) < 1e-5)
        }
        for step in 0..<2 {
            let logits = decoder.advance(more.map { $0[step] })
            for index in 0..<2 {
                let whole = prompts[index] + more[index].prefix(step + 1)
                #expect(largestDifference(logits.slice(index..<index + 1).values, last(model, whole)) < 1e-5)
            }
        }
    }

    private func last(_ model: ChameleonTransformer, _ ids: [Int32]) -> [Float] {
        model.logits(ids, batch: 1).tokens(ids.count - 1..<ids.count).value.values
    }

    @Test func aContextVectorEqualToTheStateThereChangesNothing() {
        let model = ChameleonTransformer(configuration(), Weights(.fresh(seed: 1)))
        let ids: [Int32] = [1, 4, 9, 3, 2]
        let states = model.layerInputs(ids, batch: 1).prefix(2).map { $0.tokens(2..<3).value.reshaped([1, 16]) }
        let context = LayerContext(Variable(.joined(states)), positions: [2])
        let plain = model.logits(ids, batch: 1).value.values
        #expect(largestDifference(model.logits(ids, batch: 1, contexts: [context]).value.values, plain) < 1e-6)
        let other = LayerContext(Variable(.example([2, 16])), positions: [2])
        let changed = model.logits(ids, batch: 1, contexts: [other]).value.values
        #expect(largestDifference(Array(changed.prefix(40)), Array(plain.prefix(40))) < 1e-6, "earlier tokens saw it")
        #expect(largestDifference(changed, plain) > 1e-3)
    }

    @Test(arguments: [false, true]) func everyWeightLearns(ties: Bool) {
        let weights = Weights(.fresh(seed: 1))
        let model = ChameleonTransformer(configuration(ties: ties), weights)
        weights.train { _ in true }
        let logits = model.logits([1, 4, 9, 3, 2, 6], batch: 2)
        logits.backward(seed: .example(logits.shape, seed: 8))
        for parameter in weights.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name)")
        }
    }
}
