import Autograd
import Backbones
import ComputeTesting
import Images
import Layers
import LittleWorld
import ModelTesting
import Personalization
import Tensors
import Testing

/// Adapters of separate jobs in one prompt, each on its own words.
@Suite(.computing) struct TokenwiseAdaptersTests {
    private func adapter(
        _ family: TinyBackbone, _ name: String, seed: UInt64 = 7, learning: PairTraining.Options.Learning = .lowRank
    ) throws -> Adapter {
        let concept = tinyConcept(name)
        let learner = try family.model().pairLearner(of: [concept], seed: seed)
        var options = PairTraining.Options(iterations: 5, batch: 1, learningRate: 0.1, rank: 2, alpha: 4)
        options.learning = learning
        let training = try PairTraining(
            learner, pairs: concept.references.map { PicturePair(prompt: concept.plainPrompt, picture: $0) },
            options: options, seed: seed)
        for _ in 0..<5 { _ = training.advance() }
        return try Adapter(training, of: [concept], modelDigest: "d", seed: seed)
    }

    private func draw(
        _ family: TinyBackbone, _ prompts: [String], _ adapters: [String: Adapter], _ joining: AdapterJoining
    ) throws -> [Picture] {
        let seeds = [UInt64](repeating: 1, count: prompts.count)
        switch family {
        case .infinity:
            let model = try PersonalizedModel(
                model: tinyModel(), adapters: adapters, modelDigest: "d", joining: joining)
            return model.generate(prompts, seeds: seeds)
        case .chameleon:
            let model = try PersonalizedChameleon(
                model: tinyChameleon(), adapters: adapters, modelDigest: "d", joining: joining)
            return model.generate(prompts, seeds: seeds)
        case .llamagen:
            let plain = try tinyLlamaGen()
            let model = try PersonalizedLlamaGen(model: plain, adapters: adapters, modelDigest: "d", joining: joining)
            return model.generate(prompts, sampling: plain.sampling(seeds: seeds))
        case .diffusion:
            let plain = try tinyDiffusion()
            let model = try PersonalizedDiffusion(model: plain, adapters: adapters, modelDigest: "d", joining: joining)
            return model.generate(prompts, sampling: plain.sampling(seeds: seeds))
        }
    }

    /// A prompt that names nobody is drawn as if no adapter were there; merged, it is not.
    @Test(arguments: TinyBackbone.allCases) private func whoIsNotNamedIsNotFelt(_ family: TinyBackbone) throws {
        let adapters = ["rex": try adapter(family, "rex")]
        let plain = try draw(family, ["a red dog"], [:], .merged)
        #expect(try draw(family, ["a red dog"], adapters, .byToken) == plain)
        if family == .diffusion { #expect(try draw(family, ["a red dog"], adapters, .merged) != plain) }
    }

    /// Also where others are merged, of which it feels nothing.
    @Test(arguments: TinyBackbone.allCases)
    private func whatWasLearntOnItsWordsActsOnThemAlways(_ family: TinyBackbone) throws {
        let rex = try adapter(family, "rex", learning: .lowRankOnWords)
        #expect(rex.tensors.contains { $0.key.hasSuffix("lora_B.weight") && $0.value.sumOfSquares > 0 })
        func drawn(_ text: String, _ adapters: [String: Adapter], _ way: AdapterJoining = .merged) throws -> [Picture] {
            try draw(family, [text], adapters, way)
        }
        #expect(try drawn("a <rex> dog", ["rex": rex]) == drawn("a <rex> dog", ["rex": rex], .byToken))
        #expect(try drawn("a red dog", ["rex": rex]) == drawn("a red dog", [:]))
        let mia = try adapter(family, "mia", seed: 8)
        #expect(try drawn("a red dog", ["rex": rex, "mia": mia]) == drawn("a red dog", ["mia": mia]))
    }

    /// As a supervisor draws its proxies: what still hangs on the model that learnt it acts as it does ever after.
    @Test func whatIsLearningDrawsOnItsWords() throws {
        let concept = tinyConcept()
        let learner = try tinyDiffusion().pairLearner(of: [concept], seed: 7)
        let prompts = ["a <rex> dog", "a red dog"]
        let before = learner.draw(prompts, [1, 1])
        var options = PairTraining.Options(iterations: 5, batch: 1, learningRate: 0.1, rank: 2, alpha: 4)
        options.learning = .lowRankOnWords
        let training = try PairTraining(
            learner, pairs: concept.references.map { PicturePair(prompt: concept.plainPrompt, picture: $0) },
            options: options, seed: 7)
        for _ in 0..<5 { _ = training.advance() }
        let drawn = learner.draw(prompts, [1, 1])
        #expect(drawn[0] != before[0] && drawn[1] == before[1])
        let adapter = try Adapter(training, of: [concept], modelDigest: "d", seed: 7)
        #expect(try draw(.diffusion, prompts, ["rex": adapter], .merged) == drawn)
    }

    /// Which words a change acts on is told of each prompt, however many pictures it has.
    @Test(arguments: TinyBackbone.allCases)
    private func aPromptIsReadOnceForAllItsPictures(_ family: TinyBackbone) throws {
        let adapters = ["rex": try adapter(family, "rex")]
        func operations(_ prompts: [String]) throws -> Double {
            let profile = OperationProfile()
            _ = try OperationProfile.$current.withValue(profile) { try draw(family, prompts, adapters, .merged) }
            return profile.operations
        }
        #expect(try operations(["a <rex> dog", "a <rex> dog"]) < operations(["a <rex> dog", "a <rex> cat"]))
        let drawn = try draw(family, ["a red dog", "a <rex> dog", "a red dog"], adapters, .byToken)
        #expect(drawn[0] == drawn[2])
        if family == .diffusion { #expect(drawn[0] != drawn[1]) }
    }

    /// Authors of models that need no guidance say 0, and mean none: the prompt counts all the same.
    @Test(arguments: [AdapterJoining.merged, .byToken]) func lessGuidanceThanOneIsNone(_ joining: AdapterJoining) throws
    {
        let plain = try tinyDiffusion()
        let model = try PersonalizedDiffusion(
            model: plain, adapters: ["rex": adapter(.diffusion, "rex")], modelDigest: "d", joining: joining)
        func draw(_ guidance: Float) -> [Picture] {
            model.generate(["a <rex> dog"], sampling: plain.sampling(guidance: guidance, seeds: [1]))
        }
        let none = draw(1)
        #expect(draw(0) == none && draw(0.5) == none && draw(3) != none)
    }

    /// The words of separate jobs are drawn from their seeds.
    @Test func wordsOfOneSeedAreOne() throws {
        let (rex, mia) = (try adapter(.infinity, "rex"), try adapter(.infinity, "mia"))
        #expect(try rex.sharesWord("rex", with: mia, "mia") && rex.sharesWord("rex@2", with: mia, "mia"))
        #expect(try !rex.sharesWord("rex", with: adapter(.infinity, "mia", seed: 8), "mia"))
    }

    /// Of a style nobody need say what its picture shows: it has a word, and no noun behind it.
    @Test func aStyleWithoutANounIsDrawn() throws {
        let references = tinyConcept(role: .style).references
        let concept = Concept(name: "ink", role: .style, className: "", references: references)
        var options = LoRAOptions()
        (options.rank, options.priorPreservation) = (2, false)
        let training = try LoRATraining(
            tinyModel().dreamBooth(of: concept, priorPictures: 0, seed: 7), concept: concept,
            options: options, seed: 7)
        _ = training.advance()
        let ink = try training.adapter(modelDigest: "d")
        #expect(try draw(.infinity, ["a picture in <ink> style"], ["ink": ink], .byToken).count == 1)
    }

    /// Beside another subject, a subject's adapter acts on its own words alone.
    @Test func aNameIsFeltWhereItStands() throws {
        let (rex, mia) = (try adapter(.diffusion, "rex"), try adapter(.diffusion, "mia"))
        let prompt = ["a <rex> dog and a <mia> dog"]
        let both = try draw(.diffusion, prompt, ["rex": rex, "mia": mia], .byToken)
        #expect(try draw(.diffusion, prompt, ["rex": rex, "mia": mia], .byToken) == both)
        #expect(try draw(.diffusion, prompt, ["rex": rex, "mia": mia], .merged) != both)
        // Whoever is not named there is not felt there.
        #expect(try draw(.diffusion, ["a <rex> dog and a dog"], ["rex": rex, "mia": mia], .byToken) != both)
    }
}
