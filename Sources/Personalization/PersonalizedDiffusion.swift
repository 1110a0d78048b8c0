import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A diffusion model with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedDiffusion {
    private let model: any TunableDiffusion
    private let words: DiffusionWords
    /// Those that act on their concepts' words alone; nil where all are merged.
    private let tokenwise: TokenwiseAdapters?

    /// LoRA adapters change the model's weights, or hang on it, as `joining` says.
    /// - Parameter strengths: how much of every LoRA adapter's change acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter of another model or method.
    package init(
        model: any TunableDiffusion, adapters: [String: Adapter], modelDigest: String,
        joining: AdapterJoining = .merged, strengths: [String: Float] = [:]
    ) throws(AdapterError) {
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            try adapter.verify(usedAs: name, on: model.settings.name, digest: modelDigest, family: .diffusion)
        }
        let modules = model.textModules
        tokenwise = try joining.join(adapters, strengths: strengths, on: model.transformerWeights) { module in
            modules.contains { module.hasSuffix("." + $0) }
        }
        for (name, adapter) in Adapter.distinct(adapters) where adapter.changesComponents {
            guard joining == .merged else { throw .notByToken(concept: name) }
            try adapter.mergeComponents(into: model.components, share: strengths[name] ?? 1)
        }
        self.model = model
        words = try DiffusionWords(adapters, for: model, strengths: strengths)
    }

    /// One picture per prompt, as `sampling` says; guidance leads away from `negative`, the empty prompt unless given.
    package func generate(
        _ prompts: [String], negative: String? = nil, sampling: DiffusionSampling
    ) -> [Picture] {
        Recording.withoutGradients {
            let text = DiffusionText.joined(DistinctTexts(prompts).read { words.text([$0]) })
            if let tokenwise {
                let isGuided = sampling.isGuided && (negative != nil || !model.isToldGuidance)
                words.begin(tokenwise, prompts, length: text.tokens.shape[1], isGuided: isGuided)
            }
            defer { tokenwise?.end() }
            return model.generate(
                text, negative: negative.map { words.text([$0]).repeated(prompts.count) }, sampling: sampling)
        }
    }
}
