import ComputeTesting
import LittleWorld
import Testing

@testable import Evaluation

@Suite(.computing) struct PromptSuiteTests {
    @Test(arguments: [PromptSuite.dreamBenchObject, .dreamBenchLiving])
    func dreamBenchAsksTwentyFiveDifferentThings(suite: PromptSuite) {
        #expect(suite.templates.count == 25 && Set(suite.templates).count == 25)
        #expect(suite.templates.allSatisfy { $0.contains("{concept} {class}") })
    }

    @Test func thingsAndAnimalsAreAskedForWhatSuitsThem() {
        let things = PromptSuite.dreamBenchObject.templates
        let animals = PromptSuite.dreamBenchLiving.templates
        #expect(
            things[14] == "a {concept} {class} floating in an ocean of milk"
                && animals[14] == "a {concept} {class} in a chef outfit")
        #expect(things.prefix(10) == animals.prefix(10) && things.suffix(5) == animals.suffix(5))
        #expect(things.last == "a cube shaped {concept} {class}")
    }

    @Test func littleWorldKnowsEveryWordOfItsOwnSuite() {
        let known = Set(LittleWorld.vocabulary + ["{concept}", "{class}"])
        for template in PromptSuite.littleWorld.templates {
            #expect(template.split(separator: " ").allSatisfy { known.contains(String($0)) }, "\(template)")
        }
        #expect(Set(PromptSuite.littleWorld.templates).count >= 10)
    }

    @Test(arguments: [
        ("a photo of a {concept} {class} in the snow", "owl", "an owl in the snow"),
        ("a {concept} {class} in the snow", "", "a picture in the snow"),
        ("a {concept} {class} in the snow", "Akita", "an Akita in the snow"),
        ("a red {concept} {class}", "dog", "a red dog"), ("a crayon drawing of a {concept} {class}", "dog", nil),
    ])
    func aStyleIsAskedForOfTheScene(template: String, className: String, expected: String?) {
        #expect(PromptSuite.scene(template, className: className) == expected)
    }

    @Test(arguments: [
        ("a {concept} {class} in the snow", "dog", "a <rex> dog in the snow", "a dog in the snow"),
        ("{concept}", "dog", "<rex>", ""),
        ("a house in {concept} {class} style", "", "a house in <rex> style", "a house in style"),
        ("a <rex> dog", "dog", "a <rex> dog", "a dog"),
        ("a photo of a {concept} {class}", "owl", "a photo of a <rex> owl", "a photo of an owl"),
        (
            "A <rex>  ice cream and a red {concept} {class}", "ice cream",
            "A <rex> ice cream and a red <rex> ice cream", "an ice cream and a red ice cream"
        ),
        ("a <rex> on the beach", "", "a <rex> on the beach", "a on the beach"),
    ])
    func aConceptTakesItsPlace(template: String, className: String, asked: String, described: String) {
        let prompts = PromptSuite.prompts(template, concept: "rex", className: className)
        #expect(prompts.asked == asked && prompts.described == described)
    }
}
