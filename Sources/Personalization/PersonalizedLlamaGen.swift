import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A LlamaGen with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedLlamaGen {
    private let model: LlamaGenModel
    private let words: ConceptWords
    /// Those that act on their concepts' words alone; nil where all are merged.
    private let tokenwise: TokenwiseAdapters?

    /// LoRA adapters change the model's weights, or hang on it, as `joining` says.
    /// - Parameter strengths: how much of every LoRA adapter's change acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: LlamaGenModel, adapters: [String: Adapter], modelDigest: String,
        joining: AdapterJoining, strengths: [String: Float] = [:]
    ) throws(AdapterError) {
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            try adapter.verify(usedAs: name, on: model.configuration.name, digest: modelDigest, family: .llamagen)
        }
        tokenwise = try joining.join(adapters, strengths: strengths, on: model.transformerWeights)
        self.model = model
        words = try ConceptWords(adapters, for: model, strengths: strengths)
    }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: CodeSampling) -> [Picture] {
        Recording.withoutGradients {
            let distinct = DistinctTexts(prompts)
            let ids = model.ids(distinct.texts, tokenizer: words.tokenizer)
            let captions = TextFeatures.joined(distinct.texts.map { words.features([$0], by: model) })
            return model.generate(captions, at: distinct.places, sampling: sampling) { caption in
                guard let caption else { return tokenwise?.end() ?? () }
                tokenwise?.begin([ids[caption]], rows: ids[caption].count, tokenizer: .unigram(words.tokenizer))
            }
        }
    }
}
