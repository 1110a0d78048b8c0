import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A Chameleon with concepts in use: prompts may name them as `<name>`, several at once, without any further training.
package struct PersonalizedChameleon {
    private let model: ChameleonModel
    private let prompts: ConceptPrompts
    /// Placeholders of concepts that go by DreamBooth's identifier.
    private let identified: [String]

    /// LoRA adapters change the model's weights.
    /// - Parameter loraShare: how much of every LoRA adapter's change is added.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: ChameleonModel, adapters: [String: Adapter], modelDigest: String, loraShare: Float = 1
    ) throws(AdapterError) {
        var concepts: [String: ContextVectors] = [:]
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            guard adapter.description.modelDigest == modelDigest else {
                throw .otherModel(concept: name, wanted: model.configuration.name, found: adapter.description.model)
            }
            try adapter.mergeLoRA(into: model.transformerWeights, share: loraShare)
            if !adapter.isLoRA {
                concepts[name] = try PersonalizedChameleon.vectors(
                    of: adapter, name: name, model: model.configuration.transformer)
            }
        }
        self.model = model
        identified = adapters.filter(\.value.isLoRA).keys.map { "<\($0)>" }
        prompts = ConceptPrompts(model, concepts: concepts)
    }

    private static func vectors(
        of adapter: Adapter, name: String, model: ChameleonTransformer.Configuration
    ) throws(AdapterError) -> ContextVectors {
        let known = [ContextVectors.textName, ContextVectors.imageName]
        if let other = adapter.tensors.keys.sorted().first(where: { !known.contains($0) }) {
            throw .unknownWeight(concept: name, name: other)
        }
        func vectors(_ key: String) throws(AdapterError) -> Variable {
            guard let tensor = adapter.tensors[key], tensor.shape.count == 2, tensor.width == model.width,
                tensor.shape[0] <= model.depth
            else {
                throw .unknownWeight(concept: name, name: key)
            }
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
        model.generate(texts.map { prompts(words($0), cutsConcepts: cutsConcepts) }, sampling: sampling)
    }

    private func words(_ text: String) -> String {
        identified.reduce(text) { $0.replacing($1, with: DreamBooth.identifier) }
    }
}
