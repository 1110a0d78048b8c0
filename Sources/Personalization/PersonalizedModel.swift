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
    /// - Throws: `AdapterError` for an adapter of another model, or two that change the same weights.
    package init(model: InfinityModel, adapters: [String: Adapter], modelDigest: String) throws(AdapterError) {
        let named = adapters.sorted { $0.key < $1.key }
        var owners: [String: String] = [:]
        for (name, adapter) in named {
            guard adapter.description.modelDigest == modelDigest else {
                throw .otherModel(concept: name, wanted: model.configuration.name, found: adapter.description.model)
            }
            for weight in adapter.tensors.keys where weight != Adapter.placeholderName {
                guard let parameter = model.transformerWeights.byName[weight], parameter.value.shape == adapter.tensors[weight]!.shape else {
                    throw .unknownWeight(concept: name, name: weight)
                }
                if let other = owners.updateValue(name, forKey: weight) { throw .conflicting([other, name]) }
            }
        }
        for (_, adapter) in named {
            for (weight, tensor) in adapter.tensors { model.transformerWeights.byName[weight]?.value.assign(tensor) }
        }
        self.model = model
        tokenizer = model.textTokenizer.adding(placeholders: named.map { "<\($0.key)>" })
        var embeddings: [Int32: Variable] = [:]
        for (name, adapter) in named {
            embeddings[tokenizer.identifier(of: "<\(name)>")!] =
                Variable(adapter.placeholder ?? model.startOfPlaceholder(like: adapter.description.className))
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

    /// One picture per prompt and seed.
    package func generate(_ prompts: [String], seeds: [UInt64], guidance: Float? = nil, temperature: Float? = nil) -> [Picture] {
        generate(prompts, sampling: model.sampling(guidance: guidance, temperature: temperature, seeds: seeds))
    }

    /// How surprised the model is by pictures given their prompts: cross-entropy per bit in nats, the mean over pictures and tokens.
    package func crossEntropy(of pictures: [Picture], prompts: [String]) -> Float {
        Recording.withoutGradients {
            let features = model.tokenizer.features(Variable(.pictures(pictures))).value
            let maps = model.tokenizer.quantize(features, schedule: model.configuration.schedule)
            let text = model.encode(prompts, tokenizer: tokenizer, replacing: embeddings)
            let tokens = maps.batch * maps.schedule.tokens
            return BitCrossEntropy(bits: maps.bits, weights: [Float](repeating: 1 / Float(tokens * maps.depth), count: tokens))
                .apply([model.transformer.logits(text, inputs: maps.inputs)]).scalar
        }
    }
}
