import ComputeTesting
import Images
import ModelTesting
import Tensors
import Testing

@testable import Backbones

@Suite(.computing) struct PicturesTogetherTests {
    /// Smaller than any picture.
    private let apart = PicturesTogether.Limits(cacheBytes: 1, pixels: 1)

    private func expectAlike(_ draw: () -> [Picture]) {
        let (together, one) = (draw(), PicturesTogether.$limits.withValue(apart, operation: draw))
        #expect(together.count == 3 && one.count == 3)
        for (a, b) in zip(together, one) {
            let difference = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
            #expect(difference ?? 255 <= 1, "rounding alone")
        }
    }

    @Test func oneByOneTheyAreThePicturesOfABatch() throws {
        let (chameleon, llamagen) = (try tinyChameleon(), try tinyLlamaGen())
        let (infinity, diffusion) = (try tinyModel(), try tinyDiffusion())
        let prompts = [ChameleonPrompt(ids: chameleon.ids(before: "a dog"))]
        expectAlike { chameleon.generate(prompts, at: [0, 0, 0], sampling: chameleon.sampling(seeds: [1, 2, 3])) }
        expectAlike {
            llamagen.generate(
                llamagen.encode(["a dog"]), at: [0, 0, 0], sampling: llamagen.sampling(seeds: [1, 2, 3]))
        }
        let picture = Picture(width: 16, height: 16, filledWith: (200, 100, 50))
        expectAlike { infinity.reconstruct([picture, picture, picture]) }
        let latents = diffusion.latents([picture, picture, picture])
        expectAlike { diffusion.pictures(latents) }
    }

    /// References of a training, whose memory must not grow with their number.
    @Test func largePicturesAreEncodedOneByOne() throws {
        let colours: [(UInt8, UInt8, UInt8)] = [(200, 100, 50), (0, 90, 250), (30, 30, 30)]
        let pictures = colours.map { Picture(width: 16, height: 16, filledWith: $0) }
        func batches() -> [Int] {
            PicturesTogether.encoded(pictures) { batch in batch.shape[0] == 1 ? [1] : [batch.shape[0], 0, 0] }
        }
        #expect(batches() == [3, 0, 0])
        #expect(PicturesTogether.$limits.withValue(apart, operation: batches) == [1, 1, 1])
        let (chameleon, llamagen) = (try tinyChameleon(), try tinyLlamaGen())
        let encoders: [() -> [[Int32]]] = [{ chameleon.codes(pictures) }, { llamagen.codes(pictures) }]
        for codes in encoders {
            #expect(codes() == PicturesTogether.$limits.withValue(apart, operation: codes))
        }
    }

    @Test func anEstimateCountsThemOneByOne() throws {
        var large = try tinyChameleon().configuration
        let (one, eight) = (large.encoding(1), large.encoding(8))
        #expect(eight.passing > one.passing && eight[.convolutions] == 8 * one[.convolutions])
        large.otherGrid = .init(height: 8192, width: 8192)
        let (single, several) = (large.encoding(1), large.encoding(8))
        #expect(several.passing == single.passing && several[.convolutions] == 8 * single[.convolutions])
    }

    /// A picture of Lumina-mGPT's at 768² keeps 2.3 GiB of keys and values with its guidance.
    @Test func fewerAreDrawnTogetherTheMoreEachKeeps() throws {
        var large = try tinyChameleon().configuration
        large.transformer = .luminaMGPT7B
        large.otherGrid = .init(height: 48, width: 48)
        #expect(large.drawnTogether == 2)
        let guided = DrawingWork()
        let (two, eight) = (large.drawing(2, prompt: 20, guided), large.drawing(8, prompt: 20, guided))
        #expect(eight.passing == two.passing && eight[.weights] == 4 * two[.weights])
        large.otherGrid = .init(height: 16, width: 16)
        #expect(large.drawnTogether > 8, "256²")
        #expect(try tinyChameleon().configuration.drawnTogether > 1000)
    }

    @Test func partsCoverARange() {
        #expect((3..<10).parts(of: 3) == [3..<6, 6..<9, 9..<10])
        #expect((0..<0).parts(of: 3).isEmpty)
    }
}
