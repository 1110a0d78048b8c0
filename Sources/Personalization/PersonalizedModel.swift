import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A model with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedModel {
    private let model: InfinityModel
    private let words: ConceptWords

    /// Changes the model's weights to the adapters' and makes their names known.
    /// - Parameter loraShare: how much of every LoRA adapter's change is added.
    /// - Throws: `AdapterError` for an adapter of another model, or two that replace the same weights.
    package init(
        model: InfinityModel, adapters: [String: Adapter], modelDigest: String, loraShare: Float = 1
    ) throws(AdapterError) {
        let named = adapters.sorted { $0.key < $1.key }
        var owners: [String: String] = [:]
        for (name, adapter) in named {
            guard adapter.description.modelDigest == modelDigest else {
                throw .otherModel(concept: name, wanted: model.configuration.name, found: adapter.description.model)
            }
            for weight in adapter.replaced.keys {
                guard let parameter = model.transformerWeights.byName[weight],
                    parameter.shape == adapter.replaced[weight]!.shape
                else {
                    throw .unknownWeight(concept: name, name: weight)
                }
                if let other = owners.updateValue(name, forKey: weight) { throw .conflicting([other, name]) }
            }
            if let placeholder = adapter.placeholder, placeholder.shape != [1, model.encoder.embedding.value.width] {
                throw .unknownWeight(concept: name, name: Adapter.placeholderName)
            }
            try adapter.verifyWhole(among: model.transformerWeights)
        }
        for (_, adapter) in named {
            for (weight, tensor) in adapter.replaced { model.transformerWeights.byName[weight]?.value.assign(tensor) }
        }
        for (_, adapter) in named { try adapter.mergeLoRA(into: model.transformerWeights, share: loraShare) }
        self.model = model
        words = ConceptWords(adapters, tokenizer: model.textTokenizer, embedding: model.encoder.embedding.value)
    }

    /// The model's defaults for these seeds.
    package func sampling(seeds: [UInt64]) -> Sampling { model.sampling(seeds: seeds) }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: Sampling) -> [Picture] {
        Recording.withoutGradients {
            model.generate(
                model.encode(prompts, tokenizer: words.tokenizer, replacing: words.embeddings), sampling: sampling)
        }
    }

    /// One picture per prompt and seed.
    package func generate(_ prompts: [String], seeds: [UInt64]) -> [Picture] {
        generate(prompts, sampling: sampling(seeds: seeds))
    }
}
