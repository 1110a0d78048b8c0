import ComputeTesting
import Jobs
import Testing

@testable import Engine
@testable import Personalization

@Suite(.computing) struct CompositionWordingTests {
    private func adapter(_ name: String, _ role: ConceptRole, _ className: String) -> Adapter {
        Adapter(
            description: Adapter.Description(
                method: .coar, model: "pocket-chameleon", modelDigest: "", concept: name, role: role,
                className: className, seed: 1, iterations: 1,
                options: "{}"), tensors: [:])
    }

    private func prompts(_ texts: [String], _ wording: StyleWording, noun: String = "dog") throws -> [String] {
        let adapters = ["rex": adapter("rex", .subject, noun), "ink": adapter("ink", .style, "rabbit")]
        let job = try JobSpec([
            "version": 1, "kind": "compose", "model": "pocket-chameleon", "subject": "rex", "style": "ink",
            "prompts": ["x"],
        ])
        guard case .compose(let spec) = job else { return [] }
        return try texts.map(Composition(spec, adapters: adapters, wording: wording).prompt)
    }

    private let texts = [
        "in the snow", "a <rex> dog in the snow", "a photo of <rex> dog in the snow", "<rex> in <ink>",
    ]

    @Test func whatAPromptLeavesUnsaidIsSaidInTheModelsWords() throws {
        #expect(
            try prompts(texts, StyleWording(template: "a {style} of {subject}")) == [
                "a <ink> of <rex> dog in the snow", "a <ink> of a <rex> dog in the snow",
                "a <ink> of <rex> dog in the snow", "<rex> in <ink>",
            ])
        #expect(
            try prompts(texts, .paper) == [
                "a photo of <rex> dog in the snow in <ink> style", "a photo of a <rex> dog in the snow in <ink> style",
                "a photo of <rex> dog in the snow in <ink> style", "<rex> in <ink>",
            ])
    }

    /// As people write: with a capital letter and a full stop; an imported subject may have no noun.
    @Test func aSentenceIsSaidAsASceneIs() throws {
        let sentences = ["A photo of a <rex> dog in the snow. ", "a photograph of <rex> dog", "in the snow."]
        #expect(
            try prompts(sentences, .paper) == [
                "a photo of a <rex> dog in the snow in <ink> style", "a photo of <rex> dog in <ink> style",
                "a photo of <rex> dog in the snow in <ink> style",
            ])
        #expect(try prompts(["in the snow"], .paper, noun: "") == ["a photo of <rex> in the snow in <ink> style"])
    }
}
