import Autograd
import Backbones
import Images
import Jobs
import Layers
import Randomness
import Tensors

/// A backbone as DreamBooth sees it (Ruiz et al., arXiv 2208.12242): the loss of the references after a prompt with a
/// rare identifier, and that of pictures of the class which the model itself drew before anything was tuned.
///
/// The identifier is a token that pretraining never saw: the tokenizer's unknown word, or of a style its filling.
package struct DreamBooth {
    let model: any TunableBackbone
    /// What the concept goes by.
    let word: String
    /// Is told by the losses where the concept's words are.
    let acting: TokenwiseAdapters
    /// A picture of its size as it learns it, which no training changes.
    let encode: (_ picture: Picture) -> EncodedPicture
    /// Mean loss per token of pictures of the concept, of which only some networks are told what they were cut from.
    /// What is random about it, as a diffusion model's noise is, comes from the generator.
    let conceptLoss: (_ pictures: [EncodedPicture], _ origins: [PictureOrigin], _ generator: inout Philox) -> Variable
    /// Mean loss per token of chosen pictures of the class.
    let priorLoss: (_ chosen: [Int], _ generator: inout Philox) -> Variable

    /// What a concept goes by whose adapter does not say.
    package static let identifier = "<unk>"

    /// A subject and a style that are learnt apart have words of their own in one prompt, as in ZipLoRA and B-LoRA
    /// (arXiv 2311.13600, 2403.14572): one word would mean both of them in either place.
    package static func identifier(of role: ConceptRole) -> String { role == .subject ? Self.identifier : "<pad>" }

    /// Of the class's pictures.
    static func seeds(_ seed: UInt64, _ count: Int) -> [UInt64] {
        Philox.seeds(seed, purpose: 0xDB, 0..<count)
    }

    /// What is told of the concept's words, the prompt that names it where it is learnt by its own word, and what reads
    /// that name as one token.
    static func words(
        of concept: Concept, in model: some ReadsPrompts
    ) -> (TokenwiseAdapters, prompt: String, UnigramTokenizer) {
        (
            TokenwiseAdapters(learning: [concept]), concept.photoPrompt(concept.placeholder),
            model.textTokenizer.adding(placeholders: [concept.placeholder])
        )
    }

    /// Codes of a picture of each seed at the model's own distribution, a few at a time: memory does not grow with
    /// their number.
    /// - Parameter count: of the codes there are.
    static func codes(of count: Int, seeds: [UInt64], draw: (CodeSampling) -> [[Int32]]) -> [[Int32]] {
        PairLearner.batches(seeds).flatMap { some in
            draw(CodeSampling(guidance: 1, topK: count, temperature: 1, seeds: some))
        }
    }
}
