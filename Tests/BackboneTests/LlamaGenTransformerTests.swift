import Autograd
import Backbones
import ComputeTesting
import Foundation
import Layers
import Tensors
import Testing

private func configuration(keyHeads: Int) -> LlamaGenTransformer.Configuration {
    LlamaGenTransformer.Configuration(
        width: 16, depth: 2, heads: 4, keyHeads: keyHeads, feedForwardWidth: 24, codes: 12, captionLength: 5,
        captionWidth: 8, side: 3)
}

/// Four heads of queries on two of keys and values, beside the same model with each of these written down twice.
@Suite(.computing) struct LlamaGenTransformerTests {
    private let shared = Weights(.fresh(seed: 1))
    private let repeated: Weights
    private let models: [LlamaGenTransformer]
    private let captions = [Tensor.example([5, 8]), .example([2, 8], seed: 2)]

    init() throws {
        let model = LlamaGenTransformer(configuration(keyHeads: 2), shared)
        // As large as a trained model's: fresh ones hardly attend.
        for weight in shared.parameters where weight.isProjection {
            weight.value.accumulate(weight.value.copy(), scale: 12)
        }
        var tensors = Dictionary(uniqueKeysWithValues: shared.parameters.map { ($0.name, $0.value) })
        for (name, packed) in tensors where name.hasSuffix("wqkv.weight") {
            let heads = [0, 0, 1, 1, 2, 2, 3, 3].map { packed.slice(16 + 4 * $0..<20 + 4 * $0) }
            tensors[name] = Tensor.joined([packed.slice(0..<16)] + heads)
        }
        repeated = Weights(.checkpoint(tensors))
        models = [model, LlamaGenTransformer(configuration(keyHeads: 4), repeated)]
        try repeated.verify()
    }

    /// The gradient [48, 16] of a projection whose heads repeat others, as that of those [32, 16].
    private func added(_ gradient: Tensor) -> Tensor {
        let heads = (0..<8).map { gradient.slice(16 + 4 * $0..<20 + 4 * $0) }
        let sums = stride(from: 0, to: 8, by: 2).map { first -> Tensor in
            let sum = heads[first].copy()
            sum.accumulate(heads[first + 1])
            return sum
        }
        return .joined([gradient.slice(0..<16)] + sums)
    }

    @Test func sharedKeyHeadsLearnAsRepeatedOnesDo() throws {
        let codes = (0..<18).map { Int32($0 * 5 % 12) }
        var logits: [Tensor] = []
        for (weights, model) in zip([shared, repeated], models) {
            weights.train { $0 != model.unconditional.name }
            let said = model.logits(
                captions: Variable(LlamaGenTransformer.padded(captions, to: 5)), lengths: captions.map(\.rows),
                codes: codes)
            said.backward(seed: .example(said.shape, seed: 8))
            logits.append(said.value)
        }
        #expect(largestDifference(logits[0].values, logits[1].values) < 1e-4 * logits[1].maximumMagnitude)
        for parameter in shared.trainable {
            let gradient = try #require(parameter.gradient)
            let other = try #require(repeated.byName[parameter.name]?.gradient)
            let wanted = gradient.count == other.count ? other : added(other)
            #expect(wanted.maximumMagnitude > 0, "\(parameter.name)")
            #expect(
                largestDifference(gradient.values, wanted.values) < 1e-3 * wanted.maximumMagnitude,
                "\(parameter.name)")
        }
    }

    @Test func sharedKeyHeadsDrawWhatRepeatedOnesDo() {
        let sampling = LlamaGenSampling(CodeSampling(guidance: 3, topK: 1, temperature: 1, seeds: [1, 2]))
        var codes: [[[Int32]]] = []
        var logits: [Tensor] = []
        for model in models {
            var seen: [Tensor] = []
            codes.append(model.generate(captions, sampling: sampling) { seen.append($0) })
            logits.append(.joined(seen))
        }
        #expect(codes[0] == codes[1])
        #expect(largestDifference(logits[0].values, logits[1].values) < 1e-4 * logits[1].maximumMagnitude)
    }

    /// They are what they are where each has its caption for itself.
    @Test func picturesOfOneCaptionReadItOnce() {
        let sampling = LlamaGenSampling(CodeSampling(guidance: 3, topK: 12, temperature: 1, seeds: [1, 2, 3]))
        func drawn(
            _ captions: [Tensor], at places: [Int]? = nil
        ) -> (codes: [[Int32]], logits: [Float], operations: Double) {
            let profile = OperationProfile()
            var seen: [Tensor] = []
            let codes = OperationProfile.$current.withValue(profile) {
                models[0].generate(captions, at: places, sampling: sampling) { seen.append($0) }
            }
            return (codes, Tensor.joined(seen).values, profile.operations)
        }
        let (once, each) = (drawn(captions, at: [0, 1, 0]), drawn(captions + [captions[0]]))
        #expect(once.codes == each.codes && once.logits == each.logits && once.operations < each.operations)
    }

    @Test func keyHeadsAreAsManyAsHeadsUnlessSaid() throws {
        func read(_ settings: Data) throws -> LlamaGenTransformer.Configuration {
            try JSONDecoder().decode(LlamaGenTransformer.Configuration.self, from: settings)
        }
        #expect(try read(Data(#"{"n_head":4,"n_kv_head":null}"#.utf8)).keyHeads == 4)
        let fewer = configuration(keyHeads: 2)
        #expect(try read(JSONEncoder().encode(fewer)) == fewer)
    }
}
