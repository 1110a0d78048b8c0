import Autograd
import Backbones
import ComputeTesting
import Layers
import Tensors
import Testing

private let configuration = BitwiseTokenizer.Configuration(
    baseChannels: 4, encoderMultipliers: [1, 2], decoderMultipliers: [1, 2], residualBlocks: 1, bits: 4, patchSize: 2,
    groups: 2)
private let schedule = ScaleSchedule.square([1, 2, 4])

@Suite(.computing) struct BitwiseTokenizerTests {
    @Test func picturesBecomeFeaturesAndBack() {
        let tokenizer = BitwiseTokenizer(configuration, Weights(.fresh(seed: 1)))
        let features = tokenizer.features(Variable(.example([2, 3, 8, 8])))
        #expect(features.shape == [2, 4, 4, 4])
        #expect(tokenizer.decode(features).shape == [2, 3, 8, 8])
    }

    @Test func straightThroughHasTheCodesValueAndTheFeaturesGradient() {
        let tokenizer = BitwiseTokenizer(configuration, Weights(.fresh(seed: 1)))
        let leaf = Node()
        let features = Variable(.example([2, 4, 4, 4]), node: leaf)
        let sum = tokenizer.straightThrough(features, schedule: schedule)
        let codes = tokenizer.quantize(features.value, schedule: schedule).sum
        for (value, code) in zip(sum.value.values, codes.values) { #expect(abs(value - code) < 1e-5) }
        let seed = Tensor.example([2, 4, 4, 4], seed: 5)
        sum.backward(seed: seed)
        #expect(leaf.gradient!.values == seed.values)
    }

    @Test func everyWeightLearnsFromReconstructionAndCommitment() {
        let weights = Weights(.fresh(seed: 1))
        let tokenizer = BitwiseTokenizer(configuration, weights)
        weights.train { _ in true }
        let pictures = Variable(Tensor.example([2, 3, 8, 8]))
        let features = tokenizer.features(pictures)
        let sum = tokenizer.straightThrough(features, schedule: schedule)
        (SquaredError().apply([tokenizer.decode(sum), pictures]) + SquaredError().apply([features, sum.detached]))
            .backward()
        for parameter in weights.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name) receives no gradient")
        }
    }
}
