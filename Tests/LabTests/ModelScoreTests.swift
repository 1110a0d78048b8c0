import ComputeTesting
import Evaluation
import Foundation
import LittleWorld
import ModelTesting
import Testing

@testable import Lab

@Suite(.computing) struct ModelScoreTests {
    /// Of the captions, a line each: FNV-1a.
    private func hash(_ suite: ModelScore.Suite) -> UInt64 {
        let captions = suite.scenes(count: 1000).map { $0.caption + "\n" }.joined()
        return captions.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The figures on the models' cards are of these very prompts.
    @Test func whatIsAskedForIsFixed() {
        let hashes: [ModelScore.Suite: UInt64] = [.dressed: 0xd2ec_9832_16ce_50b9, .pairs: 0xa22e_ef11_5979_5fe9]
        for suite in ModelScore.Suite.allCases { #expect(hash(suite) == hashes[suite], "\(suite)") }
    }

    @Test func sharesOfTwoSubjectsStandBesideThoseOfOne() {
        let truth = TraitLabels(codes: [1, 0, 2, 0, 0, 1, 0, 4])
        let verdicts = [
            truth, truth, truth.setting(.context, to: 1), truth.setting(.finish, to: 0), truth.setting(.colour, to: 5),
            truth.setting(.secondColour, to: 5), truth.setting(.secondClass, to: SubjectClass.allCases.count),
            TraitLabels(codes: [0, 4, 2, 0, 0, 1, 1, 0]),  // the two changed places
        ]
        let truths = [TraitLabels](repeating: truth, count: verdicts.count)
        let shares = ClassifierRun.Accuracy(AttributeScore(verdicts, truths: truths))
        #expect(shares.class == 0.875 && shares.colour == 0.75 && shares.context == 0.875 && shares.finish == 0.875)
        #expect(shares.secondClass == 0.75 && shares.secondColour == 0.75)
        #expect(shares.bothSubjects == 0.5 && shares.all == 0.25)
    }

    /// Who says "none" of all pictures is right in half of them.
    @Test func finishesHaveSharesOfTheirOwn() throws {
        let asked = [Finish.plain, .shiny, .plain, .glowing, .plain, .shiny, .plain, .glowing]
        func labels(_ finishes: [Finish]) -> [TraitLabels] {
            finishes.map { TraitLabels(codes: [1, 0, 2, 0, 0, $0.rawValue, 0, 4]) }
        }
        func shares(_ seen: [Finish], of asked: [Finish]) -> ClassifierRun.Accuracy {
            ClassifierRun.Accuracy(AttributeScore(labels(seen), truths: labels(asked)))
        }
        let none = [Finish](repeating: .plain, count: 8)
        let blind = shares(none, of: asked)
        #expect(blind.finish == 0.5 && blind.shiny == 0 && blind.glowing == 0)
        let half = shares([.shiny, .shiny, .plain, .glowing, .plain, .plain, .glowing, .glowing], of: asked)
        #expect(half.finish == 0.625 && half.shiny == 0.5 && half.glowing == 1)
        // Figures of prompts that ask for none stay as they were.
        let unasked = shares(none, of: none)
        #expect(unasked.finish == 1 && unasked.shiny == nil && unasked.glowing == nil)
        #expect(try !String(decoding: JSONEncoder().encode(unasked), as: UTF8.self).contains("shiny"))
    }

    @Test func aModelIsScoredByPairs() throws {
        let tiny = try TinyModels()
        try tiny.writeClassifier()
        try withExtendedLifetime(tiny) {
            let folder = "\(tiny.folder)/score"
            let report = try ModelScore(
                model: "\(tiny.folder)/pocket-infinity", classifier: "\(tiny.folder)/classifier", suite: .pairs,
                prompts: 2, seed: 1, folder: folder
            ).run().report
            #expect(report.pictures == 2)
            let shares = [
                report.class, report.colour, report.context, report.finish, report.secondClass, report.secondColour,
                report.bothSubjects, report.ceiling.bothSubjects, report.reconstructed.bothSubjects,
                report.shiny, report.ceiling.shiny, report.reconstructed.shiny,
            ]
            for share in shares { #expect(0...1 ~= share ?? -1, "\(report)") }
            #expect(report.glowing == nil, "neither prompt asks for it")
            let prompts = try String(contentsOfFile: "\(folder)/prompts.txt", encoding: .utf8)
            #expect(
                prompts == """
                    a comic of a yellow backpack and a black cactus in the jungle
                    a photo of a shiny orange ice cream and a brown mug at night in a city

                    """)
        }
    }

    @Test func aFolderOfAnotherKindIsSaidToBeNoClassifier() throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        let folder = "\(tiny.folder)/tiny-clip"
        let error = try withExtendedLifetime(tiny) {
            try #require(throws: ClassifierError.self) { _ = try AttributeClassifier(directory: folder) }
        }
        #expect(error.description.hasPrefix("\(folder): it is not a classifier"))
    }
}
