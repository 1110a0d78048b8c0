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
        self.init(RareWord.words(concepts, like: model.encoder.embedding, seed: seed), tokenizer: model.textTokenizer)
    }

    /// - Parameter words: by concept, [1, D] each.
    private init(_ words: [String: Parameter], tokenizer: UnigramTokenizer) {
        self.tokenizer = tokenizer.adding(placeholders: words.keys.sorted().map { "<\($0)>" })
        byName = words
    }

    /// Concepts that were learnt by DreamBooth go by their identifier; others bring an embedding of their own, or go by
    /// their class noun.
    /// - Parameter strengths: how much of each word that was learnt acts, by name, where that is not all: where nothing
    ///   does, the class noun is left.
    /// - Throws: `AdapterError` for an adapter that has no word for its concept, or one of another width.
    init(_ adapters: [String: Adapter], for model: some ReadsPrompts, strengths: [String: Float]) throws(AdapterError) {
        let (tokenizer, table) = (model.textTokenizer, model.encoder.embedding)
        var words: [String: Parameter] = [:]
        for (name, adapter) in adapters {
            let word = try ConceptWords.word(of: adapter, name, tokenizer: tokenizer, among: table)
            guard word.shape == [1, table.shape[1]] else {
                throw .unknownWeight(concept: name, name: Adapter.placeholderName)
            }
            try adapter.verifyWord(word, name: RareWord.name(of: name), among: table)
            var value = word
            if let share = strengths[name], share != 1, try adapter.learntWord(usedAs: name) != nil {
                value = word.part(
                    share, besides: ConceptWords.noun(adapter.known(as: name).className, tokenizer, table))
            }
            words[name] = Parameter(name: RareWord.name(of: name), value: value)
        }
        self.init(words, tokenizer: tokenizer)
    }

    /// Features of prompts that may name the concepts; of the gradient, what leads to words that learn.
    func features(_ prompts: [String], by model: some ReadsPrompts) -> TextFeatures {
        model.reader.features(prompts, tokenizer: tokenizer, replacing: embeddings)
    }

    /// The same of texts that are read once each, as long as no word learns.
    func kept(by model: some ReadsPrompts) -> KeptTexts<TextFeatures> {
        KeptTexts(besides: byName.values, joined: TextFeatures.joined) { features($0, by: model) }
    }

    /// - Parameter table: the encoder's, [vocabulary, D].
    private static func word(
        of adapter: Adapter, _ name: String, tokenizer: UnigramTokenizer, among table: Parameter
    ) throws(AdapterError) -> Tensor {
        if let own = try adapter.learntWord(usedAs: name) { return own }
        if adapter.outputRows != nil {
            // The encoder reads a row of its table that no token has, and what it makes of it is replaced.
            let unused = tokenizer.vocabularySize
            let isThere = unused < table.shape[0]
            return isThere ? table.rows([Int32(unused)]).value : Tensor(zeros: [1, table.shape[1]])
        }
        if adapter.isLoRA, let id = tokenizer.identifier(of: adapter.identifier(usedAs: name)) {
            return table.rows([id]).value
        }
        return noun(adapter.known(as: name).className, tokenizer, table)
    }

    /// The mean of a class noun's words, [1, D].
    private static func noun(_ noun: String, _ tokenizer: UnigramTokenizer, _ table: Parameter) -> Tensor {
        table.mean(ofRows: tokenizer.encode(noun).dropLast())
    }
}

extension Tensor {
    /// A share of it, and of another what is left.
    func part(_ share: Float, besides other: Tensor) -> Tensor {
        let sum = Tensor(zeros: shape)
        sum.accumulate(self, scale: share)
        sum.accumulate(other, scale: 1 - share)
        return sum
    }
}

extension Adapter {
    /// The word a concept was given or learnt, [1, D]; nil where it goes by a word of the model's.
    fileprivate func learntWord(usedAs name: String) throws(AdapterError) -> Tensor? {
        if let placeholder { return placeholder }
        return outputRows == nil ? try word(usedAs: name) : nil
    }
}
