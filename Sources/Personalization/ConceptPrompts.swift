import Autograd
import Backbones
import Layers

/// A concept as CoAR learns it: one text and one image vector for each of the first layers, [N, C] each.
package struct ContextVectors {
    /// Names among an adapter's tensors.
    package static let textName = "context.text"
    static let imageName = "context.image"

    /// [N, C], where the prompt names the concept.
    let text: Variable
    /// [N, C], right before the first code.
    let image: Variable

    /// Both [N, C].
    package init(text: Variable, image: Variable) {
        self.text = text
        self.image = image
    }
}

/// Prompts that name concepts: each text vector stands where the prompt says `<name>`, the image vectors, in the order
/// of mention, right before the first code.
///
/// Guidance leads away from the sequence without what was said, from begin-image on, as Lumina-mGPT's own code has it
/// (lumina_mgpt/inference_solver.py). That image vectors, which stand behind begin-image, are part of what was said, so
/// that neither they nor their places are in that sequence, is *ours*: CoAR's repository holds no code.
package struct ConceptPrompts {
    private let model: ChameleonModel
    private let tokenizer: TextTokenizer
    private let vectors: [Int32: ContextVectors]
    /// What stands for concepts that go by a word alone, [1, C].
    private let words: [Int32: Parameter]
    /// The id in the place of a placeholder or an image vector; it is overwritten before the first layer.
    private let standIn: Int32 = 0

    /// - Parameters:
    ///   - concepts: by name, `rex` for `<rex>`.
    ///   - words: of concepts that have no vectors but a word of their own, [1, C].
    package init(_ model: ChameleonModel, concepts: [String: ContextVectors] = [:], words: [String: Parameter] = [:]) {
        let names = concepts.keys.sorted() + words.keys.sorted()
        let tokenizer = model.textTokenizer.adding(placeholders: names.map { "<\($0)>" })
        self.model = model
        self.words = Dictionary(
            uniqueKeysWithValues: words.map { (tokenizer.identifier(of: "<\($0)>")!, $1) })
        self.tokenizer = tokenizer
        vectors = Dictionary(uniqueKeysWithValues: concepts.map { (tokenizer.identifier(of: "<\($0)>")!, $1) })
    }

    /// - Parameter cutsConcepts: whether no position of one concept may attend to one of another (the identity mask):
    ///   the picture reads them all, but none reads another's looks as its own.
    package func callAsFunction(_ text: String, cutsConcepts: Bool = true) -> ChameleonPrompt {
        var ids = model.configuration.vocabulary.opened(model.words(text, tokenizer: tokenizer))
        var order: [Int32] = []
        var places: [Int32: [Int]] = [:]
        var contexts: [LayerContext] = []
        for (index, id) in ids.enumerated() where isConcept(id, at: index, of: ids.count) {
            if let word = words[id] {
                contexts.append(LayerContext(word.variable, positions: [index]))
                ids[index] = standIn
                continue
            }
            if places[id] == nil { order.append(id) }
            places[id, default: []].append(index)
            contexts.append(LayerContext(vectors[id]!.text, positions: [index]))
            ids[index] = standIn
        }
        ids += model.configuration.heading
        for id in order {
            places[id]!.append(ids.count)
            contexts.append(LayerContext(vectors[id]!.image, positions: [ids.count]))
            ids.append(standIn)
        }
        return ChameleonPrompt(
            ids: ids, contexts: contexts, hiddenPairs: cutsConcepts ? pairs(order.map { places[$0]! }) : [])
    }

    /// Placeholders are numbered after the text tokenizer's own ids, where the vocabulary has its marks; the sequence's
    /// own marks stand at both ends of the words.
    private func isConcept(_ id: Int32, at index: Int, of count: Int) -> Bool {
        index > 0 && index < count - 1 && (vectors[id] != nil || words[id] != nil)
    }

    /// Every position of one concept with every position of another.
    private func pairs(_ places: [[Int]]) -> [(Int, Int)] {
        places.indices.flatMap { a in
            places[(a + 1)...].flatMap { other in places[a].flatMap { first in other.map { (first, $0) } } }
        }
    }
}
