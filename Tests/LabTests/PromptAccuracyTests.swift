import ComputeTesting
import Evaluation
import Images
import LittleWorld
import Testing

@testable import Lab

@Suite(.computing) struct PromptAccuracyTests {
    private let templates = Array(PromptSuite.littleWorld.templates.prefix(10))
    private let dog = SubjectInWorld(subject: .heldOut(.dog, index: 200), size: 64)

    private func asked(_ subject: SubjectInWorld) -> [Scene] { templates.map { subject.scene($0, seed: 1) } }

    /// Two pictures a prompt.
    private func painted(_ subject: SubjectInWorld) -> [[Picture]] {
        templates.map { subject.paint([$0, $0], [1, 2]) }
    }

    private func accuracy() throws -> PromptAccuracy {
        try #require(try PromptAccuracy(directory: shippedClassifier))
    }

    @Test func whatTheWorldPaintsIsRight() throws {
        let scores = try accuracy().scores(painted(dog), of: asked(dog))
        for (title, key) in PromptAccuracy.columns { #expect(scores[key] ?? 0 >= 0.5, "\(title): \(scores)") }
        #expect(scores[PromptAccuracy.both] ?? 0 >= 0.8, "\(scores)")
        #expect(scores.count == 3 + 10)
    }

    @Test func anotherSubjectAndAnotherPromptAreWrongEachByItself() throws {
        let teapot = SubjectInWorld(subject: .heldOut(.teapot, index: 201), size: 64)
        let subject = try accuracy().scores(painted(teapot), of: asked(dog))
        #expect(subject[PromptAccuracy.subject] ?? 1 <= 0.1 && subject[PromptAccuracy.prompt] ?? 0 >= 0.8, "\(subject)")
        #expect(subject[PromptAccuracy.both] ?? 1 <= 0.1)
        let turned = Array(asked(dog).dropFirst()) + [asked(dog)[0]]
        let prompt = try accuracy().scores(painted(dog), of: turned)
        #expect(prompt[PromptAccuracy.subject] ?? 0 >= 0.8 && prompt[PromptAccuracy.prompt] ?? 1 <= 0.1, "\(prompt)")
    }

    @Test func withoutAClassifierThereIsNone() throws {
        #expect(try PromptAccuracy(directory: "\(shippedClassifier)-that-is-not-there") == nil)
    }
}
