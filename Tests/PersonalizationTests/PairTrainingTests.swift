import Autograd
import Backbones
import ComputeTesting
import Foundation
import Images
import Layers
import LittleWorld
import ModelTesting
import Personalization
import Testing

private func learner(_ family: TinyBackbone, _ concepts: [String] = ["rex"]) throws -> PairLearner {
    try family.model().pairLearner(of: concepts.map { tinyConcept($0) }, seed: 7)
}

private func pairs(_ names: [String] = ["rex"], size: Int = 16) -> [PicturePair] {
    names.enumerated().flatMap { index, name in
        Subject.heldOut(.dog, index: index).references(count: 3).map {
            PicturePair(prompt: "a <\(name)> dog", picture: $0.paint(size: size))
        }
    }
}

private func training(
    _ family: TinyBackbone, _ names: [String] = ["rex"], _ change: (inout PairTraining.Options) -> Void = { _ in }
) throws -> PairTraining {
    var options = PairTraining.Options(iterations: 10, batch: 2, learningRate: 1e-2, rank: 2, alpha: 4)
    change(&options)
    return try PairTraining(
        learner(family, names), pairs: pairs(names), prior: [PicturePair(prompt: "a dog", picture: pairs()[0].picture)],
        options: options, seed: 7)
}

private func bits(_ training: PairTraining) -> [[UInt32]] {
    training.lora.parameters.map { $0.value.values.map(\.bitPattern) }
}

@Suite(.computing) struct PairTrainingTests {
    @Test(arguments: TinyBackbone.allCases, [PairTraining.Options.Rule.adamw, .prodigy])
    private func aRunRestoredFromItsStateEndsWithTheSameBits(
        _ family: TinyBackbone, _ rule: PairTraining.Options.Rule
    ) throws {
        func run() throws -> PairTraining { try training(family) { $0.rule = rule } }
        let (undisturbed, first, second) = (try run(), try run(), try run())
        for _ in 0..<5 { _ = undisturbed.advance() }
        for _ in 0..<2 { _ = first.advance() }
        try second.restore(first.state.written())
        for _ in 0..<3 { _ = second.advance() }
        #expect(bits(second) == bits(undisturbed))
    }

    /// What each of some steps on one picture computes.
    private func operations(
        _ family: TinyBackbone, steps: Int = 3, size: Int = 16, largestZoom: Float = 1
    ) throws -> [Double] {
        var options = PairTraining.Options(iterations: steps, batch: 2, learningRate: 1e-2, rank: 2, alpha: 4)
        options.largestZoom = largestZoom
        let training = try PairTraining(
            learner(family), pairs: [pairs(size: size)[0]], options: options, seed: 7)
        return (0..<steps).map { _ in
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) { _ = training.advance() }
            return profile.operations
        }
    }

    /// Texts, and pictures that are not cut anew.
    @Test(arguments: TinyBackbone.allCases) private func whatNoStepChangesIsEncodedOnce(_ family: TinyBackbone) throws {
        let steps = try operations(family)
        #expect(steps[1] < steps[0] && steps[2] == steps[1], "\(steps)")
    }

    /// Of a backbone that reads no texts beforehand, so that nothing but pictures is encoded: there are nine cuts of
    /// this one.
    @Test func aPictureThatIsCutAnewIsEncodedOnceForEveryCut() throws {
        let steps = try operations(.chameleon, steps: 60, size: 32, largestZoom: 1.5)
        #expect(steps.count { $0 > steps[59] } <= 9 && steps[0] > steps[59], "\(steps)")
        #expect(Set(steps.suffix(5)).count == 1, "\(steps)")
    }

    @Test(arguments: TinyBackbone.allCases)
    private func aPromptIsReadOnceForAllItsPictures(_ family: TinyBackbone) throws {
        let learner = try learner(family)
        func operations(_ prompts: [String]) -> Double {
            let profile = OperationProfile()
            OperationProfile.$current.withValue(profile) { _ = learner.draw(prompts, prompts.map { _ in 1 }) }
            return profile.operations
        }
        #expect(operations(["a <rex> dog", "a <rex> dog"]) < operations(["a <rex> dog", "a <rex> cat"]))
    }

    /// Changes large enough for it: of few numbers the moments stay floats.
    @Test func aRunWithMomentsInEightBitsResumesToTheSameBits() throws {
        func run() throws -> PairTraining { try training(.llamagen) { ($0.rank, $0.moments) = (256, .eightBit) } }
        let (undisturbed, first, second) = (try run(), try run(), try run())
        for _ in 0..<5 { _ = undisturbed.advance() }
        for _ in 0..<2 { _ = first.advance() }
        #expect(try first.state.hasScales)
        try second.restore(first.state.written())
        for _ in 0..<3 { _ = second.advance() }
        #expect(bits(second) == bits(undisturbed))
    }

    @Test(arguments: TinyBackbone.allCases) private func everySubjectHasAWordOfItsOwn(_ family: TinyBackbone) throws {
        let learner = try learner(family, ["rex", "mia"])
        let drawn = learner.draw(
            ["a <rex> dog", "a <mia> dog", "a <rex> dog", "a dog"], [1, 1, 1, 1])
        #expect(drawn[0] == drawn[2], "the same word and seed")
        #expect(drawn[0].width == 16)
        if family == .diffusion { #expect(drawn[0] != drawn[1] && drawn[0] != drawn[3]) }
    }

    @Test func whatWasHungOnTheModelIsTakenOffAgain() throws {
        let model = try tinyDiffusion()
        let learner = model.pairLearner(of: [tinyConcept()], seed: 7)
        let before = learner.draw(["a <rex> dog"], [1])
        let training = try PairTraining(
            learner, pairs: pairs(),
            options: .init(iterations: 5, batch: 1, learningRate: 0.3, rank: 2, alpha: 4), seed: 7)
        for _ in 0..<5 { _ = training.advance() }
        #expect(learner.draw(["a <rex> dog"], [1]) != before)
        training.detach()
        #expect(learner.draw(["a <rex> dog"], [1]) == before)
    }

    /// Textual inversion: whatever does not name the concept is drawn as before.
    @Test(arguments: TinyBackbone.allCases) private func wordsLearnAlone(_ family: TinyBackbone) throws {
        let training = try training(family) { ($0.learning, $0.learningRate) = (.words, 0.5) }
        let learner = training.learner
        let (named, plain) = (learner.draw(["a <rex> dog"], [1]), learner.draw(["a dog"], [1]))
        let before = training.learning.map { $0.value.copy().values }
        for _ in 0..<5 { #expect(training.advance().gradientNorm > 0) }
        #expect(training.learning.count == 1 && training.learning.map(\.value.values) != before)
        #expect(learner.draw(["a dog"], [1]) == plain)
        if family == .diffusion { #expect(learner.draw(["a <rex> dog"], [1]) != named) }
    }

    /// As Infinity was trained: of one picture that nothing is cut off, at a rate that changes nothing, only what is
    /// flipped differs.
    @Test func bitsAreFlippedWhileAnInfinityLearnsPairs() throws {
        let training = try PairTraining(
            learner(.infinity), pairs: [pairs()[0]],
            options: .init(iterations: 5, batch: 2, learningRate: 1e-12, rank: 2, alpha: 4), seed: 7)
        #expect(Set((0..<5).map { _ in training.advance().pairs }).count > 1)
    }

    /// Textual inversion begins as the class noun, where nothing is learnt yet.
    @Test(arguments: TinyBackbone.allCases) private func aWordCanBeginAsItsClassNoun(_ family: TinyBackbone) throws {
        let learner = try learner(family)
        let random = learner.draw(["a <rex> dog"], [1])
        learner.beginWord(of: tinyConcept())
        let drawn = learner.draw(["a <rex> dog"], [1])
        #expect(drawn == learner.draw(["a dog dog"], [1]))
        if family == .diffusion { #expect(drawn != random) }
    }

    @Test(arguments: TinyBackbone.allCases) private func allWeightsLearnEndToEnd(_ family: TinyBackbone) throws {
        let training = try training(family) { ($0.learning, $0.learningRate) = (.weights, 0.01) }
        let before = training.learning.map { $0.value.copy().values }
        let losses = (0..<10).map { _ in training.advance().pairs }
        #expect(training.lora.parameters.isEmpty && training.learning.count > 10)
        #expect(zip(training.learning, before).count { $0.value.values != $1 } > training.learning.count / 2)
        if family != .diffusion { #expect(losses.last! < losses[0], "\(losses)") }
        training.detach()
        #expect(training.learning.allSatisfy { !$0.isTrainable })
    }

    @Test func theProxiesPromptsTakeTheirContextsInTurn() {
        var options = ProxyTuningOptions()
        let concept = tinyConcept()
        #expect((0..<3).map { options.prompt($0, of: concept) } == Array(repeating: "a <rex> dog", count: 3))
        options.contexts = ["x", "y"]
        #expect(
            (0..<6).map { options.prompt($0, of: concept) } == [
                "a <rex> dog", "a <rex> dog x", "a <rex> dog", "a <rex> dog y", "a <rex> dog", "a <rex> dog x",
            ])
        (options.proxies, options.dropped) = (200, 0.5)
        #expect(options.drawn == 400)
    }

    /// No more than that: each takes a whole picture to draw.
    @Test(arguments: [(0, 200), (0.3, 286), (0.6, 500), (0.8, 1000), (0.9, 2000)])
    func asManyAreDrawnAsLeaveEnough(dropped: Double, drawn: Int) {
        var options = ProxyTuningOptions()
        (options.proxies, options.dropped) = (200, dropped)
        #expect(options.drawn == drawn)
    }
}
