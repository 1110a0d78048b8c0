import Autograd
import Backbones
import ComputeTesting
import Layers
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
