import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A diffusion model with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedDiffusion {
    private let model: DiffusionModel
    private let words: ConceptWords
    /// Those that act on their concepts' words alone; nil where all are merged.
    private let tokenwise: TokenwiseAdapters?

    /// LoRA adapters change the model's weights, or hang on it, as `joining` says.
    /// - Parameter loraShare: how much of every LoRA adapter's change is added.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: DiffusionModel, adapters: [String: Adapter], modelDigest: String, loraShare: Float = 1,
        joining: AdapterJoining = .merged
    ) throws(AdapterError) {
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            guard adapter.description.modelDigest == modelDigest else {
                throw .otherModel(concept: name, wanted: model.configuration.name, found: adapter.description.model)
            }
        }
        switch joining {
        case .merged:
            tokenwise = nil
            for (_, adapter) in Adapter.distinct(adapters) {
                try adapter.mergeLoRA(into: model.transformerWeights, share: loraShare)
            }
        case .byToken:
            tokenwise = try TokenwiseAdapters(
                adapters, on: model.transformerWeights
            ) { module in
                // The words' own stream.
                ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"].contains { module.hasSuffix($0) }
            }
        }
        self.model = model
        words = try ConceptWords(adapters, tokenizer: model.textTokenizer, embedding: model.encoder.embedding.value)
    }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: DiffusionSampling) -> [Picture] {
        Recording.withoutGradients {
            let length = model.configuration.textLength
            tokenwise?.begin(
                model.ids(prompts, tokenizer: words.tokenizer), stride: length,
                rows: prompts.count * length * (sampling.guidance == 1 ? 1 : 2), tokenizer: .unigram(words.tokenizer))
            defer { tokenwise?.end() }
            return model.generate(
                model.encode(prompts, tokenizer: words.tokenizer, replacing: words.embeddings), sampling: sampling)
        }
    }
}
