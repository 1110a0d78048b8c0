import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A LlamaGen with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedLlamaGen {
    private let model: LlamaGenModel
    private let words: ConceptWords

    /// LoRA adapters change the model's weights.
    /// - Parameter loraShare: how much of every LoRA adapter's change is added.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: LlamaGenModel, adapters: [String: Adapter], modelDigest: String, loraShare: Float = 1
    ) throws(AdapterError) {
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            guard adapter.description.modelDigest == modelDigest else {
                throw .otherModel(concept: name, wanted: model.configuration.name, found: adapter.description.model)
            }
            try adapter.mergeLoRA(into: model.transformerWeights, share: loraShare)
        }
        self.model = model
        words = ConceptWords(adapters, tokenizer: model.textTokenizer, embedding: model.encoder.embedding.value)
    }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: CodeSampling) -> [Picture] {
        Recording.withoutGradients {
            model.generate(
                model.encode(prompts, tokenizer: words.tokenizer, replacing: words.embeddings), sampling: sampling)
        }
    }
}
