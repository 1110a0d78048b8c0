import Autograd
import Images
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Backbones

@Suite struct WorkTests {
    @Test func aLayerIsItsProduct() {
        var work = Work()
        work.linear(3, from: 4, to: 5)
        #expect(work[.products] == 120, "2 · 3 · 4 · 5")
        #expect(work[.calls] == 1 && work.held == 60, "15 numbers of four bytes")
        work.attention(2, keys: 6, pairs: 12, width: 4, heads: 2)
        #expect(work[.products] == 120 + 192 && work[.scores] == 24, "4 · 12 · 4, and a score a pair and head")
        work.convolution(1, from: 2, to: 3, height: 4, width: 4)
        #expect(work[.convolutions] == 1728, "2 · 16 · 2 · 9 · 3")
    }

    @Test func weightsThatAreHeldAreMultipliedAsTheyAre() {
        var work = Work()
        work.linear(mostMappedRows, from: 4, to: 5, weights: .rounded)
        #expect(work[.products] == 320 && work[.weights] == 40, "few rows are no product of their own")
        work.linear(mostMappedRows + 1, from: 4, to: 5, weights: .rounded)
        #expect(work[.products] == 320 && work[.roundedProducts] == 360)
    }

    @Test func workAddsUp() {
        var a = Work()
        a.linear(2, from: 2, to: 2)
        var b = Work()
        b.linear(8, from: 8, to: 8)
        let sum = a + 3 * b
        #expect(sum[.products] == 16 + 3 * 1024)
        #expect(sum.held == 16 + 3 * 256)
        #expect(sum.passing == b.passing, "one after the other takes the memory of the largest")
        a.keep(bytes: 1000)
        #expect((a + b).passing == max(a.passing, b.passing), "what is kept is so beside its own work alone")
        #expect(a.passing > 1000)
        #expect(sum.rounded[.roundedProducts] == sum[.products] && sum.rounded[.products] == 0)
        #expect(b.thereAndBack(learning: 0)[.products] == 2048 && b.thereAndBack(learning: 1)[.products] == 3072)
    }

    @Test func blocksComputedOnceMoreHoldWhatTheyRead() {
        var block = Work()
        block.pointwise(10, operations: 3)
        let (kept, again) = (block.blocks(4, reading: 5, where: false), block.blocks(4, reading: 5, where: true))
        #expect(kept.held == 480 && !kept.isRepeated)
        #expect(again.held == 4 * 20 + 120 && again.isRepeated, "what four read, and the results of one")
        #expect((again + again).held == 8 * 20 + 120)
        #expect(again.thereAndBack(learning: 0)[.calls] == 1.5 * kept.thereAndBack(learning: 0)[.calls])
    }

    @Test func aLowRankChangeKeepsItsSum() {
        var work = Work()
        work.linear(3, from: 4, to: 5, rank: 2)
        #expect(work[.products] == 120 + 48 + 60)
        #expect(work.held == 2 * 24 + 60, "twice three rows of two, and one of five")
    }

    /// A U-Net, an MMDiT and a FLUX.
    @Test func diffusionNetworksHoldLessWhereTheyAreComputedOnceMore() {
        func passes(most: Int) -> [Work] {
            BlockRecomputation.$most.withValue(most) {
                [
                    UNet.Configuration.sdxl.predicting(1, height: 64, width: 64, text: 77, rank: 8),
                    MMDiT.Configuration(depth: 24, heads: 24, textWidth: 4096, pooledWidth: 2048, positionSide: 192)
                        .predicting(1, latents: 4096, text: 333, rank: 8),
                    FluxTransformer.Configuration.dev.predicting(1, latents: 4096, text: 512, rank: 8),
                ]
            }
        }
        for (kept, again) in zip(passes(most: .max), passes(most: 0)) {
            #expect(!kept.isRepeated && again.isRepeated && again.amounts == kept.amounts)
            #expect(again.held < kept.held / 4)
        }
    }

    /// A decoder of two layers of width 4, feed-forward 6, 10 words, that reads three tokens: 36 multiplications for
    /// each of 3 · 4 · 4 · 4 + 3 · 4 · 6 weights …
    @Test func aDecoderByHand() {
        let decoder = DecoderWork(width: 4, depth: 2, heads: 2, keyWidth: 4, feedForward: 6, vocabulary: 10)
        let work = decoder.reading(1, tokens: 3, answers: 1)
        let layer = 3 * (4 * 16 + 3 * 24) * 2 + 4 * 6 * 4
        #expect(work[.products] == Double(2 * layer + 2 * 40))
        #expect(work[.scores] == 2 * 6 * 2, "two layers, six pairs, two heads")
        let single = decoder.continuing(1, steps: 1, after: 3, .single)
        #expect(single[.scores] == 2 * 4 * 2, "one token sees three and itself")
        // Few rows read weights as they lie, and each sequence its own keys and values.
        let (weights, keys) = (Double(2 * (4 * 16 + 3 * 24) + 40), Double(2 * 2 * 4 * 4))
        let rounded = decoder.continuing(1, steps: 1, after: 3, .rounded)
        #expect(single[.weights] == 4 * (weights + keys) && rounded[.weights] == 2 * weights + 4 * keys)
        #expect(single[.bytes] == rounded[.bytes])
        // A product of many packs them first.
        let many = decoder.continuing(mostUnpackedRows + 1, steps: 1, after: 3, .single)
        let scale = Double(mostUnpackedRows + 1)
        #expect(many[.weights] == scale * 4 * keys)
        #expect(many[.bytes] - scale * single[.bytes] == 12 * weights)
    }

    /// Two levels of four and eight channels, a block each, on 8 × 8 pixels.
    @Test func anEncoderByHand() {
        let work = PictureAutoencoderWork(
            baseChannels: 4, encoderChannels: [4, 8], decoderChannels: [4, 8], residualBlocks: 1,
            encodedChannels: 3, latentChannels: 3, halvings: 1, middleAttends: false
        ).encoding(1, height: 8, width: 8)
        let fine = 64 * 9 * (3 * 4 + 4 * 4 + 4 * 4)
        let halved = 16 * 9 * 4 * 4
        let coarse = 16 * (4 * 8 + 9 * (4 * 8 + 8 * 8))
        let middle = 16 * 9 * 4 * 8 * 8
        #expect(work[.convolutions] == Double(2 * (fine + halved + coarse + middle + 16 * 9 * 8 * 3)))
    }

    /// Of the tiny models' size.
    private let picture = Picture(width: 16, height: 16, filledWith: (20, 90, 160))

    /// What is counted is what the models' own operations ask for.
    private func asked(_ body: () -> Void) -> Double {
        let profile = OperationProfile()
        OperationProfile.$current.withValue(profile) { body() }
        return profile.operations
    }

    private func expect(_ work: Work, _ asked: Double, _ what: String, within tolerance: Double = 0.02) {
        let counted = work[.products] + work[.convolutions]
        #expect(abs(counted / asked - 1) < tolerance, "\(what): \(counted) counted, \(asked) asked for")
    }

    @Test func infinityIsCountedAsItComputes() throws {
        let model = try tinyModel()
        model.freeze()
        let text = model.encode(["a dog", "a cat"])
        let tokens = text.lengths[0]
        #expect(text.lengths == [tokens, tokens])
        expect(
            model.configuration.drawing(2, prompt: tokens, DrawingWork()),
            asked { _ = model.generate(model.encode(["a dog", "a cat"]), sampling: model.sampling(seeds: [1, 2])) },
            "drawing")
        expect(
            model.configuration.encoding(2),
            asked { _ = model.tokenizer.features(Variable(Tensor(zeros: [2, 3, 16, 16]))) }, "encoding")
        let inputs = Tensor(zeros: [2, model.configuration.schedule.tokens - 1, 4])
        expect(
            model.configuration.reading(2, tokens: tokens) + model.configuration.pass(2, prompt: tokens, rank: 0),
            asked { _ = model.transformer.logits(model.encode(["a dog", "a cat"]), inputs: inputs) }, "a pass")
        #expect(model.configuration.encodedNumbers == model.features([picture]).count)
    }

    @Test func chameleonIsCountedAsItComputes() throws {
        let model = try tinyChameleon()
        model.freeze()
        let tokens = model.words("a dog").count
        let prompts = (0..<2).map { _ in ChameleonPrompt(ids: model.ids(before: "a dog")) }
        expect(
            model.configuration.drawing(2, prompt: tokens, DrawingWork()),
            asked { _ = model.generate(prompts, sampling: model.sampling(seeds: [1, 2])) }, "drawing")
        let codes = [Int32](repeating: 0, count: model.configuration.grid.codes)
        let ids = model.sequence("a dog", codes: codes).ids
        expect(
            model.configuration.pass(1, prompt: tokens, rank: 0),
            asked { _ = model.transformer.logits(ids, batch: 1) }, "a pass", within: 0.1)
        let said = model.sequence("a dog", codes: codes).asked.count
        #expect(model.configuration.answers == said * model.configuration.vocabulary.size)
        #expect(model.configuration.encodedNumbers == model.codes([picture])[0].count)
    }

    @Test func aPromptOfSeveralPicturesIsCountedOnce() throws {
        let model = try tinyChameleon()
        model.freeze()
        var drawing = DrawingWork()
        drawing.perPrompt = 2
        let prompt = ChameleonPrompt(ids: model.ids(before: "a dog"))
        expect(
            model.configuration.drawing(2, prompt: model.words("a dog").count, drawing),
            asked { _ = model.generate([prompt], at: [0, 0], sampling: model.sampling(seeds: [1, 2])) }, "drawing")
        #expect([1, 2, 3].map(drawing.prompts) == [1, 1, 2])
    }

    /// A prompt and a picture's decoder are many rows; a token of every sequence is few.
    @Test func allButTheTokensIsRoundedAsTheWeightsAre() throws {
        let models: [any BackboneWork] = [try tinyChameleon().configuration, try tinyLlamaGen().configuration]
        for model in models {
            let single = model.drawing(1, prompt: 40, DrawingWork())
            let rounded = model.drawing(1, prompt: 40, DrawingWork(weights: .rounded))
            #expect(rounded[.convolutions] == 0 && rounded[.roundedConvolutions] == single[.convolutions])
            #expect(rounded[.products] > 0 && rounded[.roundedProducts] > 0)
            #expect(rounded[.products] + rounded[.roundedProducts] == single[.products])
            #expect(rounded[.scores] > 0 && rounded[.roundedScores] > 0)
            #expect(rounded[.scores] + rounded[.roundedScores] == single[.scores])
            let longer = model.drawing(1, prompt: 80, DrawingWork(weights: .rounded))
            #expect(longer[.roundedProducts] > rounded[.roundedProducts])
        }
    }

    @Test func whatIsNotDrawnByTokensIsRoundedWhole() throws {
        let models: [any BackboneWork] = [try tinyModel().configuration, try tinyDiffusion().configuration.work()]
        for model in models {
            let single = model.drawing(1, prompt: 40, DrawingWork())
            #expect(model.drawing(1, prompt: 40, DrawingWork(weights: .rounded)) == single.rounded)
            #expect(single != single.rounded)
        }
    }

    @Test(arguments: [2, 1]) func llamaGenIsCountedAsItComputes(keyHeads: Int) throws {
        let model = try tinyLlamaGen(keyHeads: keyHeads)
        model.freeze()
        let tokens = model.encode(["a dog"]).lengths[0]
        expect(
            model.configuration.drawing(2, prompt: tokens, DrawingWork()),
            asked {
                _ = model.pictures(
                    model.generateCodes(model.encode(["a dog", "a cat"]), sampling: model.sampling(seeds: [1, 2])))
            }, "drawing", within: 0.05)
        let projections = model.transformerWeights.parameters.filter { $0.name.contains(".attention.w") }
        #expect(model.configuration.lowRankNumbers == projections.reduce(0) { $0 + $1.shape.reduce(0, +) })
        #expect(model.configuration.encodedNumbers == model.codes([picture])[0].count)
    }

    @Test func diffusionIsCountedAsItComputes() throws {
        let model = try tinyDiffusion()
        model.freeze()
        let tokens = model.tokenCount("a dog")
        expect(
            model.configuration.work().drawing(2, prompt: tokens, DrawingWork()),
            asked { _ = model.generate(model.encode(["a dog", "a dog"]), sampling: model.sampling(seeds: [1, 2])) },
            "drawing", within: 0.05)
        #expect(model.configuration.work().encodedNumbers == model.latents([picture]).count)
        #expect(asked { _ = model.unprompted(3) } == asked { _ = model.unprompted(1) }, "it is read once")
    }

    @Test func aHostHasARateForEveryKind() {
        let rates = WorkRates().measured(rounds: 2)
        #expect(Set(rates.keys) == Set(Work.Kind.allCases.map(\.rawValue)))
        #expect(rates.values.allSatisfy { $0 > 0 && $0.isFinite })
    }
}
