import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A model with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedModel {
    private let model: InfinityModel
    private let tokenizer: UnigramTokenizer
    private let embeddings: [Int32: Variable]

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
        tokenizer = model.textTokenizer.adding(placeholders: named.map { "<\($0.key)>" })
        var embeddings: [Int32: Variable] = [:]
        for (name, adapter) in named {
            embeddings[tokenizer.identifier(of: "<\(name)>")!] = Variable(
                PersonalizedModel.embedding(of: adapter, in: model))
        }
        self.embeddings = embeddings
    }

    /// The model's defaults for these seeds.
    package func sampling(seeds: [UInt64]) -> Sampling { model.sampling(seeds: seeds) }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: Sampling) -> [Picture] {
        Recording.withoutGradients {
            model.generate(model.encode(prompts, tokenizer: tokenizer, replacing: embeddings), sampling: sampling)
        }
    }

    /// What stands for an adapter's concept in a prompt [1, D]: its own embedding, DreamBooth's identifier, or its
    /// class noun.
    private static func embedding(of adapter: Adapter, in model: InfinityModel) -> Tensor {
        if let own = adapter.placeholder { return own }
        if adapter.isLoRA, let id = model.textTokenizer.identifier(of: DreamBooth.identifier).map(Int.init) {
            return model.encoder.embedding.value.slice(id..<id + 1)
        }
        return model.startOfPlaceholder(like: adapter.description.className)
    }

    /// One picture per prompt and seed.
    package func generate(_ prompts: [String], seeds: [UInt64]) -> [Picture] {
        generate(prompts, sampling: sampling(seeds: seeds))
    }
}
