import ComputeTesting
import Evaluation
import Foundation
import Images
import Layers
import LittleWorld
import Testing

@Suite(.computing) struct AttributeScoreTests {
    @Test func countsWhatIsRightAndWhatWasTakenForWhat() {
        let truths = [TraitLabels(codes: [0, nil, 1, 2]), TraitLabels(codes: [1, 3, 1, nil])]
        let verdicts = [TraitLabels(codes: [0, 9, 1, 0]), TraitLabels(codes: [0, 3, 1, 5])]
        let score = AttributeScore(verdicts, truths: truths)
        #expect(score.accuracy(.subjectClass) == 0.5)
        #expect(score.accuracy(.colour) == 1)  // the blueprint's is not counted
        #expect(score.accuracy(.context) == 1)
        #expect(score.accuracy(.style) == 0)
        #expect(score.whollyRight == 0)
        #expect(score.table().contains("1 × cat taken for dog"))
    }

    @Test func aFinishIsCountedWhereItIsAskedFor() {
        func labels(_ finishes: [Finish]) -> [TraitLabels] {
            finishes.map { TraitLabels(codes: [0, 1, 2, 3, 0, $0.rawValue]) }
        }
        let truths = labels([.plain, .shiny, .glowing, .glowing])
        let verdicts = labels([.shiny, .shiny, .plain, .glowing])
        let score = AttributeScore(verdicts, truths: truths)
        #expect(score.accuracy(.finish) == 0.5)
        #expect((0...2).map { score.accuracy(.finish, of: $0) } == [0, 1, 0.5])
        #expect(score.table().contains("finish: 2 of 4 right\n  shiny: 1 of 1 right\n  glowing: 1 of 2 right\n"))
        let plain = AttributeScore([truths[0]], truths: [truths[0]])
        #expect(plain.accuracy(.finish, of: 1) == nil && !plain.table().contains("shiny"))
    }

    @Test func aTraitThatNothingDecidesHasNoAccuracy() {
        #expect(
            AttributeScore([TraitLabels(codes: [0, 1, 2, 3])], truths: [TraitLabels(codes: [0, nil, 2, 3])]).accuracy(
                .colour) == nil)
    }

    /// Not where one is another, or missing, or where they changed places; what is around them does not matter.
    @Test func twoSubjectsAreRightWhereEachIsSeenInItsPlace() {
        let truth = TraitLabels(codes: [1, 0, 2, 0, 0, 1, 0, 4])
        let nobody = SubjectClass.allCases.count
        func right(_ verdict: TraitLabels) -> Double? {
            AttributeScore([verdict], truths: [truth]).bothSubjectsRight
        }
        #expect(right(truth) == 1)
        #expect(right(truth.setting(.context, to: 3).setting(.style, to: 1).setting(.finish, to: 0)) == 1)
        for trait in PictureTrait.ofSubjects { #expect(right(truth.setting(trait, to: 5)) == 0, "\(trait)") }
        #expect(right(truth.setting(.secondClass, to: nobody)) == 0)
        #expect(right(TraitLabels(codes: [0, 4, 2, 0, 0, 1, 1, 0])) == 0)
        #expect(right(TraitLabels(codes: [1, 0, 2, 0])) == nil, "a classifier that knows one subject alone")
        let alone = TraitLabels(codes: [1, 0, 2, 0, 0, 1, nobody])
        #expect(AttributeScore([truth, alone], truths: [alone, alone]).bothSubjectsRight == nil)
    }

    @Test func labelsThatAPictureCannotShowAreLeftOpen() throws {
        let scenes = (0..<400).map { LittleWorld.scene(index: UInt64($0), seed: 9, split: .heldOut) }
        #expect(scenes.allSatisfy { (TraitLabels($0)[.colour] == nil) == ($0.style == .blueprint) })
        #expect(scenes.allSatisfy { (TraitLabels($0)[.style] == nil) == $0.style.isHeldOut })
        #expect(scenes.contains { $0.style == .blueprint } && scenes.contains { $0.style.isHeldOut })
    }

    @Test func whatNoWordAsksForIsLeftOpen() {
        let dog = Subject.heldOut(.dog, index: 0)
        let plain = TraitLabels(askedFor: dog.scene(in: .plain, style: .mosaic, number: 1))
        #expect(plain[.subjectClass] == SubjectClass.dog.rawValue && plain[.colour] == dog.colour.rawValue)
        #expect(plain[.style] == Style.mosaic.rawValue, "of a style that training never shows, too")
        #expect(
            [PictureTrait.context, .accessory, .finish, .secondClass, .secondColour].allSatisfy { plain[$0] == nil })
        let scene = dog.scene(
            in: .snow, beside: .heldOut(.cat, index: 0), accessory: .crown, style: .blueprint, number: 1)
        let asked = TraitLabels(askedFor: scene)
        #expect(asked[.context] == Context.snow.rawValue && asked[.accessory] == Accessory.crown.rawValue)
        #expect(asked[.secondClass] == SubjectClass.cat.rawValue && asked[.colour] == nil)
        #expect(asked.setting(.colour, to: 3)[.colour] == 3)
    }

    @Test func picturesOfAnotherSizeAreResized() throws {
        let classifier = try AttributeClassifier(.init(pictureSize: 16, channels: 8), .fresh(seed: 1))
        let picture = LittleWorld.example(of: .photo).paint(size: 32)
        #expect(classifier.verdicts([picture]) == classifier.verdicts([picture.resized(width: 16, height: 16)]))
    }

    @Test func aPromptsSceneShowsWhatThePromptSays() {
        for (index, prompt) in Evaluation.dressedPrompts(count: 200).enumerated() {
            let scene = prompt.scene(index: UInt64(index))
            #expect(scene.caption == prompt.text)
            let labels = TraitLabels(scene)
            #expect(labels[.subjectClass] == prompt.kind.rawValue && labels[.colour] == prompt.colour.rawValue)
            #expect(labels[.context] == prompt.context.rawValue && labels[.style] == prompt.style.rawValue)
            #expect(labels[.accessory] == prompt.accessory.rawValue && labels[.finish] == Finish.plain.rawValue)
            #expect(scene.second == nil)
            #expect((scene.accessory == .none) == (index % 2 == 0) && !scene.subject.isHeldOut)
        }
    }

    @Test func signalToNoiseIsThatOfTheMeanSquaredError() {
        let grey = Picture(width: 4, height: 4, filledWith: (100, 100, 100))
        let lighter = Picture(width: 4, height: 4, filledWith: (110, 110, 110))
        var score = SignalToNoise()
        score.add(grey, reconstruction: lighter)
        #expect(abs(score.decibels - 20 * log10(25.5)) < 1e-9)
        score.add(grey, reconstruction: grey)
        #expect(abs(score.decibels - 20 * log10(25.5) - 10 * log10(2)) < 1e-9)
    }
}
