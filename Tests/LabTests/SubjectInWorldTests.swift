import Evaluation
import LittleWorld
import Testing

@testable import Lab

@Suite struct SubjectInWorldTests {
    private let world = SubjectInWorld(subject: .heldOut(.dog, index: 3), size: 64)

    private func scene(_ template: String, seed: UInt64 = 1) -> Scene {
        world.scene(PromptSuite.prompts(template, concept: "it", className: "dog").described, seed: seed)
    }

    /// A place, something worn or a style that is not understood would paint a photo of the plain subject.
    @Test func everyPromptOfTheSuiteIsAScene() {
        for template in PromptSuite.littleWorld.templates {
            let scene = scene(template)
            let asked = PromptSuite.prompts(template, concept: "it", className: "dog").described
            #expect(scene.subject == world.subject)
            #expect([scene.context != .plain, scene.accessory != .none, scene.style != .photo].contains(true))
            #expect(scene.context == .plain || asked.hasSuffix(scene.context.name))
            #expect(asked.contains(scene.accessory.name) || scene.accessory == .none)
            #expect(asked.hasPrefix("a \(scene.style.name) of a dog"))
        }
    }

    @Test func aPromptsSeedIsItsPose() {
        let template = PromptSuite.littleWorld.templates[0]
        #expect(scene(template, seed: 5) == scene(template, seed: 5))
        #expect(scene(template, seed: 5).pose != scene(template, seed: 6).pose)
    }
}
