import Autograd
import Backbones
import ComputeTesting
import Images
import ModelTesting
import Testing

@Suite(.computing) struct InfinityGenerationTests {
    private let pictures = [UInt8(20), 200].map { Picture(width: 16, height: 16, filledWith: ($0, 90, 160)) }
    private let prompts = ["a dog", "a cat in the snow"]

    @Test(arguments: 0...3) func scalesThatAreGivenAreKeptAndTheOthersDrawn(given: Int) throws {
        let model = try tinyModel()
        let maps = model.maps(pictures)
        func drawn(_ seeds: [UInt64]) -> TokenMaps {
            model.transformer.generate(
                model.encode(prompts), after: (scales: given, maps: maps), sampling: model.sampling(seeds: seeds))
        }
        let (one, other) = (drawn([1, 2]), drawn([3, 4]))
        for scale in 0..<3 {
            let isGiven = scale < given
            #expect((one.bits(ofScale: scale) == maps.bits(ofScale: scale)) == isGiven, "scale \(scale)")
        }
        #expect((one.bits == other.bits) == (given == 3))
        #expect((one.sum.values == maps.sum.values) == (given == 3))
    }

    @Test func whatWasDrawnAndIsGivenIsTheSamePicture() throws {
        let model = try tinyModel()
        let text = model.encode(prompts)
        let drawn = model.transformer.generate(text, sampling: model.sampling(seeds: [1, 2]))
        let again = model.transformer.generate(
            text, after: (scales: 3, maps: drawn), sampling: model.sampling(seeds: [5, 6]))
        #expect(again.bits == drawn.bits && again.sum.values == drawn.sum.values)
    }
}
