import Autograd
import Backbones
import Tensors

/// What a text encoder reads where a prompt names a concept.
struct ConceptWords {
    /// Knows every concept's `<name>` as one token.
    let tokenizer: UnigramTokenizer
    /// By token, [1, D] each.
    let embeddings: [Int32: Variable]

    /// Concepts that were learnt by DreamBooth go by its identifier; others bring an embedding of their own, or go by
    /// their class noun.
    /// - Parameter embedding: the encoder's table, [vocabulary, D].
    init(_ adapters: [String: Adapter], tokenizer: UnigramTokenizer, embedding: Tensor) {
        let names = adapters.keys.sorted()
        let extended = tokenizer.adding(placeholders: names.map { "<\($0)>" })
        var embeddings: [Int32: Variable] = [:]
        for name in names {
            let word = ConceptWords.word(of: adapters[name]!, tokenizer: tokenizer, embedding: embedding)
            embeddings[extended.identifier(of: "<\(name)>")!] = Variable(word)
        }
        self.tokenizer = extended
        self.embeddings = embeddings
    }

    private static func word(of adapter: Adapter, tokenizer: UnigramTokenizer, embedding: Tensor) -> Tensor {
        if let own = adapter.placeholder { return own }
        if adapter.isLoRA, let id = tokenizer.identifier(of: DreamBooth.identifier).map(Int.init) {
            return embedding.slice(id..<id + 1)
        }
        let ids = tokenizer.encode(adapter.description.className).dropLast()
        let mean = Tensor(zeros: [1, embedding.width])
        for id in ids { mean.accumulate(embedding.slice(Int(id)..<Int(id) + 1), scale: 1 / Float(ids.count)) }
        return mean
    }
}
