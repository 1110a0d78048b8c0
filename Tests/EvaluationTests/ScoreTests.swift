import ComputeTesting
import Glibc
import Images
import Layers
import ModelTesting
import Tensors
import Testing

@testable import Backbones
@testable import Evaluation

/// Vectors of the plane at the given angles, in degrees; lengths must not matter, so they differ.
private func at(_ degrees: [Double], by encoder: String = "test-encoder") -> Embeddings {
    let values = degrees.enumerated().flatMap { index, angle -> [Float] in
        let length = Float(index + 1)
        return [length * Float(cos(angle * .pi / 180)), length * Float(sin(angle * .pi / 180))]
    }
    return Embeddings(Tensor(values, shape: [degrees.count, 2]), encoder: encoder)
}

private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-6 }

@Suite(.computing) struct ScoreTests {
    @Test(arguments: [(0.0, 1.0), (60, 0.5), (90, 0), (180, -1)])
    func fidelityIsTheCosine(angle: Double, expected: Double) {
        let generated = at([angle])
        let references = at([0])
        for score in [
            Score.dino(generated: generated, references: references),
            .clipI(generated: generated, references: references),
            .pres(classPictures: generated, references: references),
            .styleAlignment(generated: generated, style: references),
            .subjectAlignment(generated: generated, references: references),
            .clipT(generated: generated, prompts: references),
            .textAlignment(generated: generated, prompts: references),
        ] {
            #expect(isNear(score.value, expected), "\(score.name): \(score.value)")
            #expect(score.comparisons == 1)
        }
    }

    @Test func fidelityIsTheMeanOverAllPairs() {
        // cos 0, 60, 90 | 60, 0, 30 degrees.
        let score = Score.dino(generated: at([0, 60, 90]), references: at([0, 60]))
        let cosines: [Double] = [1, 0.5, 0, 0.5, 1, 0.75.squareRoot()]
        #expect(isNear(score.value, cosines.reduce(0, +) / 6))
        #expect(score.comparisons == 6)
        #expect(isNear(score.value, Score.dino(generated: at([0, 60]), references: at([0, 60, 90])).value))
    }

    @Test func aPromptIsComparedWithItsOwnPictureAlone() {
        #expect(isNear(Score.clipT(generated: at([0, 90]), prompts: at([60, 90])).value, 0.75))
        #expect(isNear(Score.clipT(generated: at([0, 90]), prompts: at([90, 0])).value, 0))
    }

    @Test func aTextThatIsRepeatedHasTheSameRow() throws {
        let clip = try tinyCLIP().0
        let texts = ["a dog", "a cat", "a dog", "a cat"]
        let each = Embeddings(clip.embeddings(of: texts), encoder: clip.name)
        #expect(isNear(Score.clipT(generated: each, prompts: Embeddings(of: texts, by: clip)).value, 1))
    }

    @Test func theCeilingLeavesAPicturesComparisonWithItselfOut() {
        let score = Score.dino(among: at([0, 60, 120]))
        #expect(isNear(score.value, 0.5 / 3))
        #expect(score.comparisons == 3)
        #expect(isNear(Score.clipI(among: at([10, 10, 10, 10])).value, 1))
    }

    @Test func theNearestComesFirst() {
        #expect(at([170, 20, 80, 10]).nearest(to: at([0, 90]), row: 0) == [3, 1, 2, 0])
        #expect(at([170, 20, 80, 10]).nearest(to: at([0, 90]), row: 1) == [2, 1, 0, 3])
    }

    @Test func diversityIsTheMeanOverPairsThenOverPrompts() {
        // A prompt with one pair at 60°, and one with three pairs at 0°: prompts count alike.
        let score = Score.divDINO(pictures: [at([0, 60]), at([30, 30, 30])])
        #expect(isNear(score.value, 0.25))
        #expect(score.comparisons == 4)
        #expect(isNear(Score.divDINO(pictures: [at([0, 90, 180])]).value, 4.0 / 3))
    }

    @Test func perceptualDiversityOfOnePictureRepeatedIsZero() {
        let lpips = LPIPS(Weights(.fresh(seed: 5)))
        let pictures = (0..<3).map { k in
            Picture(
                width: 40, height: 33,
                pixels: (0..<3 * 40 * 33).map { UInt8(truncatingIfNeeded: $0 * (37 + 2 * k) >> k) })
        }
        #expect(Score.div(pictures: [[pictures[0], pictures[0], pictures[0]]], by: lpips).value == 0)
        let pairs = [(0, 1), (0, 2), (1, 2)].map {
            Score.div(pictures: [[pictures[$0], pictures[$1]]], by: lpips).value
        }
        #expect(pairs.allSatisfy { $0 > 0 })
        #expect(isNear(Score.div(pictures: [pictures], by: lpips).value, pairs.reduce(0, +) / 3))
    }

    @Test func aScoreSaysWhoMeasuredIt() {
        #expect(
            Score.clipI(generated: at([0], by: "pocket-clip"), references: at([0], by: "pocket-clip")).name
                == "CLIP-I (pocket-clip)")
        #expect(Score.divDINO(pictures: [at([0, 1], by: "dino-vits16")]).name == "DIV-DINO (dino-vits16)")
        #expect(Set(Score.Metric.allCases.map(\.rawValue)).count == Score.Metric.allCases.count)
    }

    @Test(arguments: [
        ("a <rex> dog on the beach", ["<rex>"], "a dog on the beach"),
        ("a photo of <rex> dog in <ink> style", ["<rex>", "<ink>"], "a photo of dog in style"),
        ("<rex>", ["<rex>"], ""), ("a dog", ["<rex>", ""], "a dog"),
        ("the <rex><rex> dog,  wet", ["<rex>"], "the dog, wet"),
    ])
    func placeholdersLeaveNoTrace(prompt: String, placeholders: [String], expected: String) {
        #expect(PromptText.withoutPlaceholders(prompt, placeholders) == expected)
    }
}
