import Autograd
import Backbones
import ComputeTesting
import Layers
import ModelTesting
import Tensors
import Testing

private let configuration = ChameleonTokenizer.Configuration(
    baseChannels: 4, multipliers: [1, 2, 2], residualBlocks: 1, latentChannels: 6, codes: 10, codeWidth: 4, groups: 2)

@Suite(.computing) struct ChameleonTokenizerTests {
    private let tokenizer = ChameleonTokenizer(configuration, Weights(.fresh(seed: 1)))

    @Test func picturesBecomeCodesAndBack() {
        let codes = tokenizer.codes(.example([2, 3, 8, 12]))
        #expect(configuration.patchSize == 4)
        #expect(codes.map(\.count) == [6, 6] && codes.joined().allSatisfy { (0..<10).contains($0) })
        #expect(tokenizer.decode(codes, height: 2, width: 3).shape == [2, 3, 8, 12])
    }

    /// Numbers of Lumina-mGPT's VQModel, whose `attn_resolutions` say which levels attend.
    @Test(
        arguments: [
            ([], [0.62907, 1.00531, 0.58245, 0.80751], [0.47862, 1.36631, 1.91736, 1.86139]),
            ([0], [0.41330, 0.70147, 0.42426, 0.61055], [0.84371, 1.35701, 1.25182, 0.99988]),
            ([1], [0.56647, 0.46857, 0.62349, -0.01904], [1.43655, 1.86593, 1.53717, 1.26401]),
            ([0, 1], [2.06823, 1.46584, 1.91279, 1.30857], [1.05318, 1.08243, 0.99119, 0.90146]),
        ] as [([Int], [Float], [Float])])
    func levelsMayAttend(levels: [Int], features: [Float], picture: [Float]) throws {
        let sizes = ChameleonTokenizer.Configuration(
            baseChannels: 32, multipliers: [1, 1], residualBlocks: 1, latentChannels: 4, codes: 8, codeWidth: 4,
            attendingLevels: levels)
        let weights = waveWeights { _ = ChameleonTokenizer(sizes, $0) }
        let tokenizer = ChameleonTokenizer(sizes, weights)
        try weights.verify()
        let encoded = tokenizer.features(Variable(wave([1, 3, 8, 8]))).value.values
        #expect(largestDifference(Array(encoded.prefix(4)), features) < 1e-4, "\(encoded)")
        let decoded = tokenizer.decode(Variable(wave([1, 4, 4, 4], phase: 2))).value.values
        #expect(largestDifference(Array(decoded.prefix(4)), picture) < 1e-4, "\(decoded)")
    }

    @Test func everyFeatureGetsItsNearestCode() {
        let features = Tensor.example([2, 4, 2, 3])
        let table = tokenizer.quantizer.codebook.value
        for (position, index) in tokenizer.quantizer.indices(features).enumerated() {
            let (sample, place) = (position / 6, position % 6)
            let distances = (0..<10).map { code in
                (0..<4).reduce(Float(0)) { sum, channel in
                    let difference =
                        features.pointer[(sample * 4 + channel) * 6 + place] - table.pointer[code * 4 + channel]
                    return sum + difference * difference
                }
            }
            #expect(distances[Int(index)] <= distances.min()! + 1e-6)
        }
    }

    @Test func aCodesOwnVectorGetsThatCode() {
        let codes: [Int32] = [3, 0, 9, 9, 1, 7]
        let features = tokenizer.quantizer.features(codes, batch: 1, height: 2, width: 3)
        #expect(tokenizer.quantizer.indices(features.value) == codes)
    }
}
