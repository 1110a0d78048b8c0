import Autograd
import Backbones
import Layers
import Tensors

/// What a text encoder reads where a prompt names a concept.
struct ConceptWords {
    /// Knows every concept's `<name>` as one token.
    let tokenizer: UnigramTokenizer
    /// By concept, [1, D] each; they can learn.
    let byName: [String: Parameter]

    /// By token.
    var embeddings: [Int32: Variable] {
        Dictionary(
            uniqueKeysWithValues: byName.map { (tokenizer.identifier(of: "<\($0)>")!, $1.variable) })
    }

    /// Words that no text has, for these concepts.
    init(rare concepts: [String], for model: some ReadsPrompts, seed: UInt64) {
        self.init(
            RareWord.words(concepts, like: model.encoder.embedding.value, seed: seed), tokenizer: model.textTokenizer)
    }

    /// - Parameter words: by concept, [1, D] each.
    private init(_ words: [String: Parameter], tokenizer: UnigramTokenizer) {
        self.tokenizer = tokenizer.adding(placeholders: words.keys.sorted().map { "<\($0)>" })
        byName = words
    }

    /// Concepts that were learnt by DreamBooth go by its identifier; others bring an embedding of their own, or go by
    /// their class noun.
    /// - Throws: `AdapterError` for an adapter that has no word for its concept, or one of another width.
    init(_ adapters: [String: Adapter], for model: some ReadsPrompts) throws(AdapterError) {
        let (tokenizer, table) = (model.textTokenizer, model.encoder.embedding)
        var words: [String: Parameter] = [:]
        for (name, adapter) in adapters {
            let word = try ConceptWords.word(of: adapter, name, tokenizer: tokenizer, embedding: table.value)
            guard word.shape == [1, table.value.width] else {
                throw .unknownWeight(concept: name, name: Adapter.placeholderName)
            }
            try adapter.verifyWord(word, name: RareWord.name(of: name), among: table)
            words[name] = Parameter(name: RareWord.name(of: name), value: word)
        }
        self.init(words, tokenizer: tokenizer)
    }

    /// Features of prompts that may name the concepts; of the gradient, what leads to words that learn.
    func features(_ prompts: [String], by model: some ReadsPrompts) -> TextFeatures {
        model.reader.features(prompts, tokenizer: tokenizer, replacing: embeddings)
    }

    /// - Parameter embedding: the encoder's table, [vocabulary, D].
    private static func word(
        of adapter: Adapter, _ name: String, tokenizer: UnigramTokenizer, embedding: Tensor
    ) throws(AdapterError) -> Tensor {
        if let own = adapter.placeholder { return own }
        if adapter.outputRows != nil {
            // The encoder reads a row of its table that no token has, and what it makes of it is replaced.
            let unused = tokenizer.vocabularySize
            let isThere = unused < embedding.shape[0]
            return isThere ? embedding.slice(unused..<unused + 1) : Tensor(zeros: [1, embedding.width])
        }
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
