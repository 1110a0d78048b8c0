import ComputeTesting
import Jobs
import Testing

@testable import Engine
@testable import Evaluation

@Suite(.computing) struct LikenessTests {
    private func scores(_ dino: Double, _ clipI: Double) -> [Score] {
        [
            Score(.dino, by: "pocket-dino", value: dino, comparisons: 1),
            Score(.clipI, by: "pocket-clip", value: clipI, comparisons: 1),
        ]
    }

    @Test func whatWasNotLearntIsSaidWithAllThreeFigures() {
        let likeness = Likeness(learnt: scores(0.44, 0.5), untuned: scores(0.41, 0.49), references: scores(0.9, 0.6))
        #expect(likeness.isLearnt == false)
        #expect(
            likeness.warnings == [
                "not learnt: DINO (pocket-dino) 0.44, the untuned model 0.41, references among themselves 0.9; "
                    + "CLIP-I (pocket-clip) 0.5, the untuned model 0.49, references among themselves 0.6"
            ])
        #expect(likeness.json["is_learnt"] == .bool(false))
    }

    @Test func whatWasLearntNeedsNoWord() {
        let likeness = Likeness(learnt: scores(0.8, 0.5), untuned: scores(0.41, 0.49), references: scores(0.9, 0.6))
        #expect(likeness.isLearnt == true && likeness.warnings == [])
        #expect(likeness.json["dino.pocket-dino"]?["untuned"]?.double == 0.41)
    }

    @Test func ofOneReferenceNobodyKnows() {
        let likeness = Likeness(learnt: scores(0.44, 0.5), untuned: scores(0.41, 0.49), references: [])
        #expect(likeness.isLearnt == nil && likeness.warnings == [] && likeness.json["is_learnt"] == .null)
    }

    @Test(arguments: [(0.35, true), (0.44, false)]) func aStyleThatCameNoNearerWasNotLearnt(
        learnt: Double, isSaid: Bool
    ) {
        func scores(_ value: Double) -> [Score] {
            [Score(.styleAlignment, by: "pocket-clip", value: value, comparisons: 1)]
        }
        let likeness = Likeness(learnt: scores(learnt), untuned: scores(0.41), references: [])
        #expect(likeness.isLearnt == (isSaid ? false : nil))
        #expect(
            likeness.warnings
                == (isSaid ? ["not learnt: style alignment (pocket-clip) 0.35, the untuned model 0.41"] : []))
    }

    @Test func ofOneReferenceWhatCameNoNearerWasNotLearnt() {
        let likeness = Likeness(learnt: scores(0.35, 0.5), untuned: scores(0.41, 0.49), references: [])
        #expect(likeness.isLearnt == false && likeness.json["is_learnt"] == .bool(false))
        #expect(
            likeness.warnings == [
                "not learnt: DINO (pocket-dino) 0.35, the untuned model 0.41; CLIP-I (pocket-clip) 0.5, "
                    + "the untuned model 0.49"
            ])
    }
}
