import Backbones
import ComputeTesting
import Lab
import Layers
import Testing

@Suite(.computing) struct PocketSizesTests {
    private let wanted = 5_000_000...15_000_000

    @Test func pocketInfinityHasFiveToFifteenMillionParameters() {
        let c = PocketInfinity.configuration(vocabulary: 200)
        let tokenizer = Weights(.fresh(seed: 1))
        _ = BitwiseTokenizer(c.tokenizer, tokenizer)
        let transformer = Weights(.fresh(seed: 1))
        _ = InfinityTransformer(c.transformer, transformer)
        #expect(wanted.contains(transformer.count) && wanted.contains(tokenizer.count + transformer.count))
        #expect(c.pictureSize / c.tokenizer.patchSize == c.schedule.last.height)
        #expect(c.transformer.bits == c.tokenizer.bits)
    }

    @Test func pocketChameleonHasFiveToFifteenMillionParameters() {
        let c = PocketChameleon.configuration(words: 200)
        let tokenizer = Weights(.fresh(seed: 1))
        _ = ChameleonTokenizer(c.tokenizer, tokenizer)
        let transformer = Weights(.fresh(seed: 1))
        _ = ChameleonTransformer(c.transformer, transformer)
        #expect(wanted.contains(tokenizer.count + transformer.count))
        #expect(c.grid.codes == 256)
        #expect(c.transformer.vocabularySize == c.vocabulary.size && c.vocabulary.codes == c.tokenizer.codes)
        // A long prompt, the marks, the picture and the image vectors of four concepts.
        #expect(c.transformer.longestSequence >= 2 + 40 + c.heading.count + c.grid.codes + c.grid.height + 1 + 4)
    }

    @Test func pocketDiffusionHasFiveToFifteenMillionParameters() {
        let c = PocketDiffusion.configuration(vocabulary: 200)
        let autoencoder = Weights(.fresh(seed: 1))
        _ = AutoencoderKL(c.autoencoder, autoencoder)
        let transformer = Weights(.fresh(seed: 1))
        _ = MMDiT(c.transformer, transformer)
        #expect(wanted.contains(autoencoder.count + transformer.count))
        #expect(c.latentShape == [8, 16, 16] && (20...50).contains(c.steps))
    }

    @Test func pocketLlamaGenHasFiveToFifteenMillionParameters() {
        let c = PocketLlamaGen.configuration(vocabulary: 200)
        let tokenizer = Weights(.fresh(seed: 1))
        _ = LlamaGenTokenizer(c.tokenizer, tokenizer)
        let transformer = Weights(.fresh(seed: 1))
        _ = LlamaGenTransformer(c.transformer, transformer)
        #expect(wanted.contains(tokenizer.count + transformer.count))
        #expect(c.pictureSize / c.tokenizer.patchSize == c.transformer.side)
        #expect(c.transformer.codes == c.tokenizer.codes)
    }
}
