import Autograd
import Backbones
import Tensors

/// What a text encoder reads where a prompt names a concept.
struct ConceptWords {
    /// Knows every concept's `<name>` as one token.
    let tokenizer: UnigramTokenizer
    /// By token, [1, D] each.
    let embeddings: [Int32: Variable]
    /// By concept, [1, D] each.
    let byName: [String: Tensor]

    /// Words that no text has, for these concepts.
    init(rare concepts: [String], for model: some ReadsPrompts, seed: UInt64) {
        let words = RareWord.words(concepts, like: model.encoder.embedding.value, seed: seed)
        self.init(words, tokenizer: model.textTokenizer)
    }

    /// - Parameter words: by concept, [1, D] each.
    init(_ words: [String: Tensor], tokenizer: UnigramTokenizer) {
        let extended = tokenizer.adding(placeholders: words.keys.sorted().map { "<\($0)>" })
        self.tokenizer = extended
        byName = words
        embeddings = Dictionary(
            uniqueKeysWithValues: words.map { (extended.identifier(of: "<\($0)>")!, Variable($1)) })
    }

    /// Concepts that were learnt by DreamBooth go by its identifier; others bring an embedding of their own, or go by
    /// their class noun.
    /// - Throws: `AdapterError` for an adapter that has no word for its concept, or one of another width.
    init(_ adapters: [String: Adapter], for model: some ReadsPrompts) throws(AdapterError) {
        let (tokenizer, embedding) = (model.textTokenizer, model.encoder.embedding.value)
        var words: [String: Tensor] = [:]
        for (name, adapter) in adapters {
            let word = try ConceptWords.word(of: adapter, name, tokenizer: tokenizer, embedding: embedding)
            guard word.shape == [1, embedding.width] else {
                throw .unknownWeight(concept: name, name: Adapter.placeholderName)
            }
            words[name] = word
        }
        self.init(words, tokenizer: tokenizer)
    }

    /// Features of prompts that may name the concepts; records no gradient.
    func features(_ prompts: [String], by model: some ReadsPrompts) -> TextFeatures {
        Recording.withoutGradients { model.reader.features(prompts, tokenizer: tokenizer, replacing: embeddings) }
    }

    /// - Parameter embedding: the encoder's table, [vocabulary, D].
    private static func word(
        of adapter: Adapter, _ name: String, tokenizer: UnigramTokenizer, embedding: Tensor
    ) throws(AdapterError) -> Tensor {
        if let own = adapter.placeholder { return own }
        if let own = try adapter.word(usedAs: name) { return own }
        if adapter.isLoRA, let id = tokenizer.identifier(of: DreamBooth.identifier).map(Int.init) {
            return embedding.slice(id..<id + 1)
        }
        let ids = tokenizer.encode(adapter.description.className).dropLast()
        let mean = Tensor(zeros: [1, embedding.width])
        for id in ids { mean.accumulate(embedding.slice(Int(id)..<Int(id) + 1), scale: 1 / Float(ids.count)) }
        return mean
    }
}
