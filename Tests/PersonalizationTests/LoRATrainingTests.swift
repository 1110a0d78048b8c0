import Autograd
import Backbones
import ComputeTesting
import Foundation
import Images
import Layers
import ModelTesting
import Randomness
import Tensors
import Testing

@testable import Personalization

extension TinyBackbone {
    fileprivate var heads: [String] {
        switch self {
        case .infinity: ["head", "ffn.fc2"]
        case .chameleon: ["lm_head", "down_proj"]
        case .llamagen: ["output", "feed_forward.w2"]
        case .diffusion: ["proj_out", "ff.net.2"]
        }
    }
}

private func training(_ kind: TinyBackbone, _ change: (inout LoRAOptions) -> Void = { _ in }) throws -> LoRATraining {
    var options = LoRAOptions()
    options.rank = 2
    options.priorPictures = 4
    change(&options)
    return try LoRATraining(
        kind.model().dreamBooth(
            of: tinyConcept(), priorPictures: options.priorPreservation ? 4 : 0, seed: 7),
        concept: tinyConcept(), options: options, seed: 7)
}

private func bytes(_ training: LoRATraining) throws -> [String: [UInt32]] {
    try training.adapter(modelDigest: "d").tensors.mapValues { $0.values.map(\.bitPattern) }
}

@Suite(.computing) struct LoRATrainingTests {
    @Test(arguments: TinyBackbone.allCases)
    private func theLossFalls(kind: TinyBackbone) throws {
        let run = try training(kind) {
            $0.largestZoom = 1
            $0.learningRate = 2e-2
            // A fresh model's attention hardly matters to what it says.
            $0.targets = kind.heads
        }
        // A diffusion model's loss is as random as its noise.
        let window = kind == .diffusion ? 100 : 5
        let first = (0..<window).map { _ in run.advance().concept }.reduce(0, +)
        for _ in 0..<100 { _ = run.advance() }
        #expect((0..<window).map { _ in run.advance().concept }.reduce(0, +) < first * 0.95)
    }

    /// In eight bits with changes large enough for it: of few numbers the moments stay floats.
    @Test(arguments: TinyBackbone.allCases, AdamW.Precision.allCases)
    private func aRunResumedFromACheckpointEndsWithTheSameBits(kind: TinyBackbone, precision: AdamW.Precision) throws {
        func run() throws -> LoRATraining {
            try training(kind) { ($0.rank, $0.moments) = (precision == .eightBit ? 256 : 2, precision) }
        }
        let (undisturbed, first, second) = (try run(), try run(), try run())
        for _ in 0..<5 { _ = undisturbed.advance() }
        for _ in 0..<2 { _ = first.advance() }
        #expect(try first.state.hasScales == (precision == .eightBit))
        try second.restore(first.state.written())
        for _ in 0..<3 { _ = second.advance() }
        #expect(try bytes(second) == bytes(undisturbed))
    }

    /// Of references that nothing is cut off: once each was drawn, a step encodes none.
    @Test(arguments: TinyBackbone.allCases) private func aReferenceIsEncodedOnce(kind: TinyBackbone) throws {
        let run = try training(kind)
        let steps = (0..<20).map { _ in
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) { _ = run.advance() }
            return profile.operations
        }
        #expect(steps[0] > steps[19] && Set(steps.suffix(5)).count == 1, "\(steps)")
    }

    /// As Infinity was trained: of one picture that nothing is cut off, at a rate that changes nothing, only what is
    /// flipped differs.
    @Test func bitsAreFlippedWhileAnInfinityLearns() throws {
        let concept = Concept(name: "rex", className: "dog", references: [tinyConcept().references[0]])
        var options = LoRAOptions()
        (options.rank, options.learningRate, options.priorPreservation) = (2, 1e-12, false)
        let booth = try tinyModel().dreamBooth(of: concept, priorPictures: 0, seed: 7)
        let run = try LoRATraining(booth, concept: concept, options: options, seed: 7)
        #expect(Set((0..<5).map { _ in run.advance().concept }).count > 1)
    }

    /// On the concept's words alone, with blocks that are computed once more and without; nothing is left to preserve.
    @Test(arguments: TinyBackbone.allCases) private func whatActsOnWordsIsLearntOnThem(kind: TinyBackbone) throws {
        func run(most: Int) throws -> (LoRATraining, LoRATraining.StepLosses) {
            try BlockRecomputation.$most.withValue(most) {
                let run = try training(kind) { $0.actsOn = .prompt }
                return (run, run.advance())
            }
        }
        let ((learnt, losses), (_, recomputed)) = (try run(most: .max), try run(most: 0))
        #expect(losses.prior == 0 && losses.gradientNorm > 0)
        #expect(abs(recomputed.gradientNorm / losses.gradientNorm - 1) < 1e-4)
        #expect(try learnt.adapter(modelDigest: "d").actsOnWords)
        #expect(try !training(kind).adapter(modelDigest: "d").actsOnWords)
    }

    /// Behind its own word, not the placeholder that the rows are found by.
    @Test func theRowsAreThoseOfTheConceptsWords() throws {
        func rows(_ booth: DreamBooth) throws -> (active: [Int], rows: Int) {
            var generator = Philox(seed: 1)
            let pictures = tinyConcept().squares(of: booth.model.pictureSize).prefix(2)
            _ = booth.conceptLoss(
                pictures.map(booth.encode), pictures.map(PictureOrigin.init(middleOf:)), &generator)
            return try #require(booth.acting.learning?.text)
        }
        let prompt = tinyConcept().photoPrompt(DreamBooth.identifier)
        let llamagen = try tinyLlamaGen()
        let ids = llamagen.ids([prompt])[0]
        let word = try #require(llamagen.textTokenizer.identifier(of: DreamBooth.identifier))
        let place = try #require(ids.firstIndex(of: word))
        let (length, tokens) = (16, 16 + 4 * 4 - 1)
        let first = length - ids.count + place
        let inLlamaGen = try rows(llamagen.dreamBooth(of: tinyConcept(), priorPictures: 0, seed: 7))
        #expect(inLlamaGen.active == [first, first + 1, tokens + first, tokens + first + 1])
        #expect(inLlamaGen.rows == 2 * tokens)

        let chameleon = try tinyChameleon()
        let picture = try #require(tinyConcept().squares(of: 16).first)
        let sequence = chameleon.sequence(prompt, codes: chameleon.codes([picture])[0])
        let named = try rows(chameleon.dreamBooth(of: tinyConcept(), priorPictures: 0, seed: 7))
        #expect(named.rows == 2 * sequence.ids.count && named.active.count == 4)
        #expect(
            named.active.map { sequence.ids[$0 % sequence.ids.count] }
                == (0..<2).flatMap { _ in chameleon.textTokenizer.words("<unk> dog") })
    }

    @Test func frozenWeightsStayAndGetNoGradient() throws {
        let model = try tinyChameleon()
        let before = model.transformerWeights.parameters.map { $0.value.copy() }
        let booth = model.dreamBooth(of: tinyConcept(), priorPictures: 4, seed: 7)
        var options = LoRAOptions()
        options.priorPictures = 4
        let run = try LoRATraining(booth, concept: tinyConcept(), options: options, seed: 7)
        for _ in 0..<3 { _ = run.advance() }
        for (parameter, old) in zip(model.transformerWeights.parameters, before) {
            #expect(
                parameter.value.values == old.values && parameter.gradient == nil && parameter.node == nil,
                "\(parameter.name)")
        }
        run.detach()
        #expect(model.transformerWeights.parameters.allSatisfy { $0.update == nil })
    }

    /// Side by side, each after its own size: every token counts as much, and what shorter sequences are filled up
    /// with nothing.
    @Test func aChameleonLearnsPicturesOfSeveralShapesTogether() throws {
        let model = try tinyChameleon()
        // As large as a trained model's: a fresh one says nearly the same of every token.
        for parameter in model.transformerWeights.parameters where parameter.isProjection {
            parameter.value.accumulate(parameter.value.copy(), scale: 12)
        }
        let concept = tinyConcept()
        let booth = model.dreamBooth(of: concept, priorPictures: 0, seed: 7)
        func loss(_ pictures: [Picture]) -> Float {
            var generator = Philox(seed: 1)
            return booth.conceptLoss(
                pictures.map(booth.encode), pictures.map(PictureOrigin.init(middleOf:)), &generator
            ).scalar
        }
        let pictures = zip([16, 8, 32], [16, 32, 8]).map { concept.references[0].filling(width: $0, height: $1) }
        let (square, tall, wide) = (loss([pictures[0]]), loss([pictures[1]]), loss([pictures[2]]))
        // Four rows of four, eight of two and two of eight, with their ends and the picture's.
        let together = (21 * square + 25 * tall + 19 * wide) / 65
        #expect(abs(loss(pictures) / together - 1) < 1e-4, "\(square), \(tall), \(wide)")
        let vocabulary = model.configuration.vocabulary
        let grid = PictureGrid(height: 8, width: 2)
        let words = model.words(concept.photoPrompt(DreamBooth.identifier))
        let batch = ChameleonBatch([
            ChameleonSequence(
                before: vocabulary.opened(words) + vocabulary.heading(grid, patchSize: 4),
                picture: vocabulary.rows(model.codes([pictures[1]])[0], grid))
        ])
        #expect(batch.loss(model.transformer.logits(batch.ids, batch: 1)).scalar == tall)
    }

    @Test func withoutPriorPreservationNothingIsDrawn() throws {
        #expect(try training(.chameleon) { $0.priorPreservation = false }.advance().prior == 0)
        #expect(try training(.chameleon).advance().prior > 0)
    }

    /// They are drawn a few at a time, the first of them with the same others.
    @Test(arguments: TinyBackbone.allCases)
    private func picturesOfTheClassAreTheSameAmongMore(kind: TinyBackbone) throws {
        func loss(among pictures: Int) throws -> Float {
            var generator = Philox(seed: 1)
            return try kind.model().dreamBooth(of: tinyConcept(), priorPictures: pictures, seed: 7)
                .priorLoss([7], &generator).scalar
        }
        #expect(try loss(among: 8) == loss(among: 19))
    }

    @Test func codesOfTheClassAreDrawnAFewAtATime() {
        var together: [Int] = []
        let codes = DreamBooth.codes(of: 5, seeds: Array(0..<19)) { sampling in
            together.append(sampling.seeds.count)
            return sampling.seeds.map { [Int32($0)] }
        }
        #expect(together == [8, 8, 3] && codes == (0..<19).map { [$0] })
    }

    /// Learnt apart, they are drawn together: ZipLoRA's and B-LoRA's prompts have a word for each.
    @Test func aSubjectAndAStyleGoByWordsOfTheirOwn() throws {
        func adapter(_ concept: Concept) throws -> Adapter {
            let booth = try tinyDiffusion().dreamBooth(of: concept, priorPictures: 0, seed: 7)
            var options = LoRAOptions()
            // As good as nothing, so that the words alone tell.
            (options.rank, options.learningRate, options.priorPreservation) = (2, 1e-12, false)
            let run = try LoRATraining(booth, concept: concept, options: options, seed: 7)
            _ = run.advance()
            return try run.adapter(modelDigest: "d")
        }
        let (subject, style) = (try adapter(tinyConcept()), try adapter(tinyConcept("ink", role: .style)))
        #expect(subject.known.map(\.word) == ["<unk>"] && style.known.map(\.word) == ["<pad>"])
        func drawn(_ prompt: String, _ adapters: [String: Adapter] = [:]) throws -> [Picture] {
            let model = try tinyDiffusion()
            return try PersonalizedDiffusion(model: model, adapters: adapters, modelDigest: "d")
                .generate([prompt], sampling: model.sampling(seeds: [1]))
        }
        let both = try drawn("a photo of <rex> dog in <ink> style", ["rex": subject, "ink": style])
        #expect(try both == drawn("a photo of <unk> dog in <pad> style"))
        #expect(try both != drawn("a photo of <unk> dog in <unk> style"))
    }

    @Test func aStyleOfAFormerVersionGoesByItsFormerWord() throws {
        let run = try training(.chameleon) { $0.learningRate = 5e-2 }
        _ = run.advance()
        let learnt = try run.adapter(modelDigest: "d")
        func drawn(_ options: String, _ prompt: String) throws -> [Picture] {
            var description = learnt.description
            (description.role, description.options) = (.style, options)
            let adapter = Adapter(description: description, tensors: learnt.tensors)
            return try PersonalizedChameleon(model: tinyChameleon(), adapters: ["rex": adapter], modelDigest: "d")
                .generate([prompt], seeds: [1])
        }
        let lora = try #require(try learnt.lora())
        let former = try Adapter.Description.text(of: lora.options)
        #expect(try drawn(former, "a <rex> dog") == drawn(former, "a <unk> dog"))
    }

    @Test func anAdapterComesBackFromItsFileAndServesGeneration() throws {
        let run = try training(.chameleon) { $0.learningRate = 5e-2 }
        for _ in 0..<5 { _ = run.advance() }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-\(UUID().uuidString).safetensors"
        ).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try run.adapter(modelDigest: "d").write(path)
        let read = try Adapter(path: path)
        let model = try tinyChameleon()
        #expect(
            try read.lora()?.options == .init(rank: 2, alpha: 16, targets: ["q_proj", "k_proj", "v_proj", "o_proj"]))
        let plain = try PersonalizedChameleon(model: model, adapters: [:], modelDigest: "d").generate(
            ["a photo of <unk> dog"], seeds: [1])
        let adapted = try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "d")
        #expect(adapted.generate(["a photo of <rex> dog"], seeds: [1]) != plain)
        #expect(throws: AdapterError.self) {
            try PersonalizedChameleon(model: model, adapters: ["rex": read], modelDigest: "other")
        }
        let infinity = try training(.infinity)
        _ = infinity.advance()
        let foreign = try infinity.adapter(modelDigest: "d")
        #expect(throws: AdapterError.self) {
            try PersonalizedChameleon(model: model, adapters: ["rex": foreign], modelDigest: "d")
        }
        #expect(
            try PersonalizedModel(model: tinyModel(), adapters: ["rex": foreign], modelDigest: "d").generate(
                ["a photo of <rex> dog"], seeds: [1]
            ).count == 1)
    }
}
