import Autograd
import Backbones
import ComputeTesting
import ModelTesting
import Personalization
import Tensors
import Testing

private func vectors(_ seed: UInt64, layers: Int = 1) -> ContextVectors {
    ContextVectors(
        text: Variable(.example([layers, 16], seed: seed)), image: Variable(.example([layers, 16], seed: seed + 100)))
}

@Suite(.computing) struct ConceptPromptsTests {
    @Test func textVectorsStandAtTheNamesAndImageVectorsBeforeTheFirstCode() throws {
        let model = try tinyChameleon()
        let prompts = ConceptPrompts(model, concepts: ["rex": vectors(1, layers: 2), "oil": vectors(2)])
        let prompt = prompts("a photo of <rex> dog in <oil> style")
        // start, a photo of <rex> dog in <oil> style, separator, begin-image, height, width, two image vectors
        #expect(prompt.ids.count == 15)
        #expect(prompt.contexts.map(\.positions) == [[4], [7], [13], [14]])
        #expect(prompt.contexts.map(\.layers) == [2, 1, 2, 1])
        let plain = model.ids(before: "a photo of dog in style")
        let vocabulary = model.configuration.vocabulary
        #expect(prompt.ids.indices.filter { ![4, 7, 13, 14].contains($0) }.map { prompt.ids[$0] } == plain)
        #expect(prompt.ids[0] == vocabulary.start && prompt.ids[10] == vocabulary.beginImage)
    }

    @Test func aConceptThatIsNotNamedTakesNoPart() throws {
        let model = try tinyChameleon()
        let prompts = ConceptPrompts(model, concepts: ["rex": vectors(1), "oil": vectors(2)])
        let prompt = prompts("a photo of a dog")
        #expect(prompt.contexts.isEmpty && prompt.ids == model.ids(before: "a photo of a dog"))
        #expect(prompts("a photo of <rex> dog").hiddenPairs.isEmpty)
    }

    @Test func everyPositionOfOneConceptIsHiddenFromEveryOneOfAnother() throws {
        let prompts = try ConceptPrompts(tinyChameleon(), concepts: ["rex": vectors(1), "oil": vectors(2)])
        let pairs = prompts("a photo of <rex> dog in <oil> style").hiddenPairs.map { [$0.0, $0.1] }
        #expect(pairs == [[4, 7], [4, 14], [13, 7], [13, 14]])
        #expect(prompts("a photo of <rex> dog in <oil> style", cutsConcepts: false).hiddenPairs.isEmpty)
    }

    /// In a model of one layer nothing can go round the mask: what the style's positions say does not depend on the
    /// subject.
    @Test func theMaskKeepsTheStyleFromReadingTheSubject() throws {
        let model = try tinyChameleon(depth: 1)
        func said(_ seed: UInt64, cutsConcepts: Bool) -> (style: [Float], picture: [Float]) {
            let prompts = ConceptPrompts(model, concepts: ["rex": vectors(seed), "oil": vectors(2)])
            let prompt = prompts("a photo of <rex> dog in <oil> style", cutsConcepts: cutsConcepts)
            let ids = prompt.ids + [model.configuration.vocabulary.firstCode]
            let bias = prompt.bias.map { small in
                let all = Tensor(zeros: [1, ids.count, ids.count])
                let rows = ids.count - 1
                for row in 0..<rows {
                    (all.pointer + row * ids.count).update(from: small.pointer + row * rows, count: rows)
                }
                return all
            }
            let logits = model.transformer.logits(ids, batch: 1, contexts: prompt.contexts, bias: bias)
            return (logits.tokens(14..<15).value.values, logits.tokens(15..<16).value.values)
        }
        func differ(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).contains { abs($0 - $1) > 1e-4 } }
        #expect(!differ(said(1, cutsConcepts: true).style, said(3, cutsConcepts: true).style))
        #expect(differ(said(1, cutsConcepts: false).style, said(3, cutsConcepts: false).style))
        #expect(
            differ(said(1, cutsConcepts: true).picture, said(3, cutsConcepts: true).picture),
            "a picture token reads the subject")
    }
}
