import Autograd
import Backbones
import ComputeTesting
import Foundation
import Layers
import ModelTesting
import Tensors
import Testing

private let configuration = T5Encoder.Configuration(
    vocabularySize: 20, width: 8, headWidth: 3, feedForwardWidth: 12, layers: 2, heads: 2)

private func values(_ features: TextFeatures, sample: Int) -> [Float] {
    let width = features.values.value.width
    return Array(
        features.values.value.values[
            features.ranges[sample].lowerBound * width..<features.ranges[sample].upperBound * width])
}

@Suite(.computing) struct T5EncoderTests {
    @Test func aTextsFeaturesDoNotDependOnItsNeighbours() {
        let encoder = T5Encoder(configuration, Weights(.fresh(seed: 3)))
        let alone = encoder([[4, 5, 1]])
        let beside = encoder([[7, 8, 9, 10, 11, 1], [4, 5, 1]])
        #expect(beside.lengths == [6, 3])
        #expect(largestDifference(values(alone, sample: 0), values(beside, sample: 1)) < 1e-5)
    }

    /// As its reference cuts them.
    @Test func anInfinityReadsAsMuchOfAPromptAsItTakes() throws {
        let model = try tinyModel()
        let prompt = [String](repeating: "dog", count: 40).joined(separator: " ")
        let ids = model.ids([prompt])[0]
        #expect(ids.count == 16 && ids.last == model.textTokenizer.encode(prompt).last)
        #expect(model.encode([prompt]).lengths == [16])
    }

    /// Numbers of transformers' T5EncoderModel.
    @Test(
        arguments: [
            ("relu", [-0.74830, 0.42655, 1.17687, -1.21095]), ("gelu", [-0.84992, 0.36827, 0.65632, -1.20374]),
            ("silu", [-0.89313, 0.34634, 0.39002, -1.12122]), ("gated-relu", [0.61076, -1.70776, -0.43804, -1.49164]),
            ("gated-gelu", [0.41549, -1.63960, -0.49828, -1.53907]),
            ("gated-silu", [0.37275, -1.63844, -0.53998, -1.49697]),
        ] as [(String, [Float])])
    func everyFeedForwardIsThatOfTheReference(kind: String, expected: [Float]) throws {
        let settings = """
            {"vocab_size":6,"d_model":4,"d_kv":3,"d_ff":5,"num_layers":2,"num_heads":2,"feed_forward_proj":"\(kind)"}
            """
        let read = try JSONDecoder().decode(T5Encoder.Configuration.self, from: Data(settings.utf8))
        #expect(try JSONDecoder().decode(T5Encoder.Configuration.self, from: JSONEncoder().encode(read)) == read)
        let weights = waveWeights { _ = T5Encoder(read, $0) }
        let features = T5Encoder(read, weights)([[3, 5, 2]]).values.value.values
        try weights.verify()
        #expect(largestDifference(Array(features.prefix(4)), expected) < 1e-4, "\(features)")
    }

    /// Numbers of transformers' UMT5EncoderModel.
    @Test func everyBlockOfUMT5HasItsOwnPositionBias() throws {
        let settings = """
            {"model_type":"umt5","vocab_size":6,"d_model":4,"d_kv":3,"d_ff":5,"num_layers":2,"num_heads":2,
             "feed_forward_proj":"gated-gelu"}
            """
        let read = try JSONDecoder().decode(T5Encoder.Configuration.self, from: Data(settings.utf8))
        #expect(try JSONDecoder().decode(T5Encoder.Configuration.self, from: JSONEncoder().encode(read)) == read)
        let weights = waveWeights { _ = T5Encoder(read, $0) }
        let features = T5Encoder(read, weights)([[3, 5, 2]]).values.value.values
        try weights.verify()
        #expect(
            largestDifference(Array(features.prefix(4)), [2.33338, -1.29800, -0.39396, 0.18596]) < 1e-4,
            "\(features)")
    }

    @Test func anIdReplacedByItsOwnEmbeddingChangesNothing() {
        let encoder = T5Encoder(configuration, Weights(.fresh(seed: 3)))
        let row = Variable(encoder.embedding.value.slice(5..<6).copy())
        let ids: [[Int32]] = [[4, 5, 5, 1]]
        #expect(encoder(ids).values.value.values == encoder(ids, replacing: [5: row]).values.value.values)
    }

    @Test func aConceptsVectorMayLieBeyondTheTableAndIsLearnedAlone() {
        let weights = Weights(.fresh(seed: 3))
        let encoder = T5Encoder(configuration, weights)
        let leaf = Node()
        let vector = Variable(.example([1, configuration.width]), node: leaf)
        let features = encoder([[4, 1000, 1], [1000, 1000, 6, 1]], replacing: [1000: vector]).values
        let weighting = Tensor.example(features.shape, seed: 8)
        features.backward(seed: weighting)
        #expect(leaf.gradient!.maximumMagnitude > 0)
        #expect(weights.parameters.allSatisfy { $0.gradient == nil }, "a frozen weight received a gradient")

        // Along the gradient the projection grows as fast as its squared norm says.
        func projection(_ step: Float) -> Double {
            let moved = vector.value.copy()
            moved.accumulate(leaf.gradient!, scale: step)
            let y = encoder([[4, 1000, 1], [1000, 1000, 6, 1]], replacing: [1000: Variable(moved)]).values.value
            return zip(y.values, weighting.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let step: Float = 0x1p-8 / leaf.gradient!.maximumMagnitude
        let slope = (projection(step) - projection(-step)) / (2 * Double(step))
        let expected = leaf.gradient!.sumOfSquares
        #expect(abs(slope / expected - 1) < 0.01)
    }

    @Test func everyWeightIsTrainableFromNothing() {
        let weights = Weights(.fresh(seed: 3))
        let encoder = T5Encoder(configuration, weights)
        weights.train { _ in true }
        let features = encoder([[4, 5, 6, 1], [7, 1]]).values
        features.backward(seed: .example(features.shape, seed: 8))
        for parameter in weights.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name) receives no gradient")
        }
    }

    @Test func theEmbeddingTableIsFoundUnderEitherName() throws {
        let fresh = Weights(.fresh(seed: 3))
        let ids: [[Int32]] = [[4, 5, 1]]
        let expected = T5Encoder(configuration, fresh)(ids).values.value.values
        let tensors = Dictionary(uniqueKeysWithValues: fresh.parameters.map { ($0.name, $0.value) })
        let shared = "shared.weight"
        let own = "encoder.embed_tokens.weight"
        func features(_ change: (inout [String: Tensor]) -> Void) throws -> [Float] {
            var tensors = tensors
            change(&tensors)
            let weights = Weights(.checkpoint(tensors))
            let encoder = T5Encoder(configuration, weights)
            try weights.verify()
            return encoder(ids).values.value.values
        }
        #expect(try features { $0[own] = $0.removeValue(forKey: shared) } == expected)
        #expect(try features { $0[own] = Tensor(zeros: $0[shared]!.shape) } == expected, "the shared table comes first")
        let error = try #require(throws: WeightsError.self) { try features { $0[shared] = nil } }
        #expect(error.problems == ["\(shared) or \(own) is missing, expected shape [20, 8]"])
        let reshaped = try #require(throws: WeightsError.self) {
            try features { ($0[shared], $0[own]) = (nil, Tensor(zeros: [8, 20])) }
        }
        #expect(reshaped.problems == ["\(own) has shape [8, 20], expected [20, 8]"])
    }
}
