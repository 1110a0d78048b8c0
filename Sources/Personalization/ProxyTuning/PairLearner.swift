import Autograd
import Backbones
import Images
import Layers
import Randomness
import Tensors

/// A backbone as Proxy-Tuning sees it, whatever its family: it learns pictures under prompts that name concepts, and
/// draws such prompts.
package struct PairLearner {
    let model: any TunableBackbone
    /// What stands for each concept, [1, C]; they can learn.
    let words: [String: Parameter]
    /// The rare word each is spelled by, where they have no embeddings.
    var spellings: [String: String] = [:]
    /// What a noun is to the model, the mean of its tokens' embeddings [1, C]; nil where concepts are spelled.
    let embedding: (_ noun: String) -> Tensor?
    /// Is told by the loss where the concepts' words are.
    let acting: TokenwiseAdapters
    /// A picture of its size as it learns it, which no training changes.
    let encode: (_ picture: Picture) -> EncodedPicture
    /// The mean loss of pictures under their prompts. What is random about it comes from the generator.
    let loss: (_ pairs: [EncodedPair], _ generator: inout Philox) -> Variable
    /// A picture of each prompt, as the model draws with whatever hangs on it.
    package let draw: (_ prompts: [String], _ seeds: [UInt64]) -> [Picture]

    /// Has a concept's word begin as its class noun, whose looks it then departs from (diffusers' `initializer_token`).
    package func beginWord(of concept: Concept) {
        guard let word = words[concept.name], let noun = embedding(concept.className) else { return }
        word.value.assign(noun)
    }

    /// Pictures drawn at a time: a picture depends on its neighbours in a batch by rounding, so batches never change.
    package static let batch = 8

    /// Seeds of pictures, as many at a time as are drawn.
    static func batches(_ seeds: [UInt64]) -> [[UInt64]] {
        seeds.indices.parts(of: batch).map { Array(seeds[$0]) }
    }

    /// Pictures of any of a concept's class, as the model draws now, under its plain prompt: what must stay.
    package func classPictures(of concept: Concept, seeds: [UInt64]) -> [PicturePair] {
        let prompt = concept.plainClassPrompt
        return PairLearner.batches(seeds).flatMap { some in
            draw(some.map { _ in prompt }, some).map { PicturePair(prompt: prompt, picture: $0) }
        }
    }
}
