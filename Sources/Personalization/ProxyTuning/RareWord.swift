import Backbones
import Layers
import Randomness
import Tensors

/// A word that no text has: what stands for a subject where several are learnt into one model, and the unknown word
/// would stand for all of them. DreamBooth looks for rare tokens (arXiv 2208.12242, section 3.2); *ours* draws vectors
/// as long as the table's, which is what a token that was never learnt has.
enum RareWord {
    private static let purpose: UInt64 = 0x5A4E

    /// Words that CLIP and T5 spell and hardly ever saw, as DreamBooth's users take them; one for each subject that an
    /// adapter can know. The last is the rarest word of up to four letters that is one token of CLIP's.
    static let spellings = ["sks", "ohwx", "zwx", "xjy", "bnha", "phol", "pll", "olis"]

    /// Such a word for a style, which no subject has.
    static let styleSpelling = "cic"

    /// A spelling of each concept, in their order.
    static func spellings(of concepts: [String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: zip(concepts, spellings))
    }

    /// The name of a concept's word among an adapter's tensors.
    static func name(of concept: String) -> String { "word.\(concept).embedding" }

    /// Words for concepts, in their order; [1, C] each.
    /// - Parameter table: of embeddings, [vocabulary, C].
    static func words(_ concepts: [String], like table: Parameter, seed: UInt64) -> [String: Parameter] {
        let width = table.shape[1]
        let deviation = Float((table.sumOfSquares / Double(max(table.count, 1))).squareRoot())
        return Dictionary(
            uniqueKeysWithValues: concepts.enumerated().map { index, concept in
                var generator = Philox(seed: seed, purpose: purpose, index: UInt64(index))
                let values = (0..<width).map { _ in generator.normal() * deviation }
                let word = Tensor(values, shape: [1, width])
                return (concept, Parameter(name: name(of: concept), value: word))
            })
    }
}
