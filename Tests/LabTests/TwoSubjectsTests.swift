import ComputeTesting
import Evaluation
import Images
import LittleWorld
import Personalization
import Testing

@testable import Lab

@Suite(.computing) struct TwoSubjectsTests {
    private let dog = Subject.heldOut(.dog, index: 3), teapot = Subject.heldOut(.teapot, index: 4)

    private func prompt(_ template: String, beside noun: String = "teapot") -> (asked: String, described: String) {
        TwoSubjects.prompt(
            template, Concept(name: "it0", className: "dog", references: []),
            Concept(name: "it1", className: noun, references: []))
    }

    @Test func aPromptNamesBothFromLeftToRight() {
        let place = prompt("a photo of a {concept} {class} in the jungle")
        #expect(place.asked == "a photo of a <it0> dog and a <it1> teapot in the jungle")
        #expect(place.described == "a photo of a dog and a teapot in the jungle")
        // As captions have it: what is worn stands beside who wears it.
        let worn = prompt("a photo of a {concept} {class} wearing a red hat")
        #expect(worn.asked == "a photo of a <it0> dog wearing a red hat and a <it1> teapot")
        let painted = prompt("a watercolour painting of a {concept} {class}")
        #expect(painted.described == "a watercolour painting of a dog and a teapot")
        #expect(prompt("a {concept} {class}", beside: "owl").described == "a dog and an owl")
    }

    @Test func everyPromptOfTheSuiteIsAPictureOfBoth() {
        let world = SubjectInWorld(subject: dog, second: teapot, size: 64)
        let alone = SubjectInWorld(subject: dog, size: 64)
        for template in PromptSuite.littleWorld.templates {
            let scene = world.scene(prompt(template).described, seed: 1)
            #expect(scene.subject == dog && scene.second == teapot)
            let single = PromptSuite.prompts(template, concept: "it", className: "dog").described
            let expected = alone.scene(single, seed: 1)
            #expect(
                (scene.context, scene.accessory, scene.style)
                    == (expected.context, expected.accessory, expected.style), "\(template)")
        }
    }

    /// Whoever stands to the right is hardly in it, and whoever stands left is.
    @Test func theLeftOneHasAPartOfThePicture() {
        func left(_ subject: Subject, _ second: Subject) -> Picture {
            subject.scene(in: .beach, beside: second, number: 3).paint(size: 64).leftOfTwo
        }
        func differing(_ a: Picture, _ b: Picture) -> Int { zip(a.pixels, b.pixels).count { $0 != $1 } }
        let part = left(dog, teapot)
        #expect(part.width == 32 && part.height == 32)
        let (otherRight, otherLeft) = (left(dog, .heldOut(.owl, index: 0)), left(.heldOut(.owl, index: 0), teapot))
        #expect(differing(part, otherRight) * 3 < differing(part, otherLeft))
    }
}
