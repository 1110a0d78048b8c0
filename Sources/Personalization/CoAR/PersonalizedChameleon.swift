import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A Chameleon with concepts in use: prompts may name them as `<name>`, several at once, without any further training.
package struct PersonalizedChameleon {
    private let model: ChameleonModel
    private let prompts: ConceptPrompts
    /// Those that act on their concepts' words alone; nil where all are merged.
    private let tokenwise: TokenwiseAdapters?
    /// Knows every concept's name as one word.
    private let named: TextTokenizer
    /// What concepts are said by that go by a word of the model's, by their placeholders.
    private let identifiers: [String: String]

    /// LoRA adapters change the model's weights.
    /// - Parameter strengths: how much of every LoRA adapter's change acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: ChameleonModel, adapters: [String: Adapter], modelDigest: String,
        joining: AdapterJoining = .merged, strengths: [String: Float] = [:]
    ) throws(AdapterError) {
        var concepts: [String: ContextVectors] = [:]
        var words: [String: Parameter] = [:]
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            try adapter.verify(usedAs: name, on: model.configuration.name, digest: modelDigest, family: .chameleon)
            if let word = try adapter.word(usedAs: name) {
                guard word.shape == [1, model.configuration.transformer.width] else {
                    throw .unknownWeight(concept: name, name: RareWord.name(of: name))
                }
                try adapter.verifyWord(word, name: RareWord.name(of: name), among: model.transformer.embedding)
                var value = word
                if let share = strengths[name], share != 1 {
                    let noun = model.textTokenizer.words(amid: adapter.known(as: name).className)
                    value = word.part(share, besides: model.transformer.embedding.mean(ofRows: noun))
                }
                words[name] = Parameter(name: RareWord.name(of: name), value: value)
            } else if !adapter.isLoRA {
                concepts[name] = try PersonalizedChameleon.vectors(of: adapter, name: name, model: model)
            }
        }
        tokenwise = try joining.join(adapters, strengths: strengths, on: model.transformerWeights)
        named = model.textTokenizer.adding(placeholders: adapters.keys.sorted().map { "<\($0)>" })
        self.model = model
        identifiers = Dictionary(
            uniqueKeysWithValues: adapters.filter { $1.isLoRA && words[$0] == nil }.map {
                ("<\($0)>", $1.identifier(usedAs: $0))
            })
        prompts = ConceptPrompts(model, concepts: concepts, words: words)
    }

    private static func vectors(
        of adapter: Adapter, name: String, model: ChameleonModel
    ) throws(AdapterError) -> ContextVectors {
        let known = [ContextVectors.textName, ContextVectors.imageName]
        if let other = adapter.held.keys.sorted().first(where: { !known.contains($0) }) {
            throw .unknownWeight(concept: name, name: other)
        }
        let transformer = model.configuration.transformer
        let layers = try adapter.options(CoAROptions.self).layerCount(
            of: transformer.depth, role: adapter.description.role)
        func vectors(_ key: String) throws(AdapterError) -> Variable {
            guard let tensor = adapter.held[key]?.tensor, tensor.shape.count == 2, tensor.width == transformer.width
            else {
                throw .unknownWeight(concept: name, name: key)
            }
            guard tensor.shape[0] == layers else {
                throw .incomplete(concept: name, found: tensor.shape[0], wanted: layers)
            }
            try adapter.verifyWord(tensor, name: key, among: model.transformer.embedding)
            return Variable(tensor)
        }
        return ContextVectors(text: try vectors(ContextVectors.textName), image: try vectors(ContextVectors.imageName))
    }

    /// One picture per prompt and seed.
    /// - Parameter cutsConcepts: whether concepts of one prompt are kept from reading each other (CoAR's identity
    ///   mask).
    package func generate(_ texts: [String], seeds: [UInt64], cutsConcepts: Bool = true) -> [Picture] {
        generate(texts, sampling: model.sampling(seeds: seeds), cutsConcepts: cutsConcepts)
    }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ texts: [String], sampling: CodeSampling, cutsConcepts: Bool = true) -> [Picture] {
        let distinct = DistinctTexts(texts)
        let read = distinct.texts.map { prompts(words($0), cutsConcepts: cutsConcepts) }
        return model.generate(read, at: distinct.places, sampling: sampling) { text in
            guard let text else { return tokenwise?.end() ?? () }
            // The start mark stands before the words.
            tokenwise?.begin(
                [model.words(distinct.texts[text], tokenizer: named)], after: 1, rows: read[text].ids.count,
                tokenizer: named)
        }
    }

    private func words(_ text: String) -> String {
        // At once: a concept may be called as another's word is.
        text.replacing(/<[a-z0-9_@-]+>/) { identifiers[String($0.output)] ?? String($0.output) }
    }
}
