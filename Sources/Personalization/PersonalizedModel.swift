import Autograd
import Backbones
import Images
import Layers
import Tensors

/// A model with concepts in use: prompts may name them as `<name>`.
package struct PersonalizedModel {
    private let model: InfinityModel
    private let words: ConceptWords
    /// Those that act on their concepts' words alone; nil where all are merged.
    private let tokenwise: TokenwiseAdapters?
    /// Rows that stand for concepts in the text encoder's output, [n, D] each, by their tokens.
    private let outputRows: [Int32: Variable]

    /// Changes the model's weights to the adapters' and makes their names known.
    /// - Parameter strengths: how much of what every adapter changes acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter of another model or a damaged one, or two that replace the same weights;
    ///   weights may have changed then.
    package init(
        model: InfinityModel, adapters: [String: Adapter], modelDigest: String,
        joining: AdapterJoining = .merged, strengths: [String: Float] = [:]
    ) throws(AdapterError) {
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            try adapter.verify(usedAs: name, on: model.configuration.name, digest: modelDigest, family: .infinity)
            try Self.verifyShapes(of: adapter, usedAs: name, on: model)
            try adapter.verifyWhole(among: model.transformerWeights)
        }
        let distinct = Adapter.distinct(adapters)
        var owners: [String: String] = [:]
        for (name, adapter) in distinct {
            for weight in adapter.replaced.keys {
                if let other = owners.updateValue(name, forKey: weight) { throw .conflicting([other, name]) }
            }
        }
        for (name, adapter) in distinct {
            try adapter.replace(model.transformerWeights, share: strengths[name] ?? 1)
        }
        let modules = model.textModules
        tokenwise = try joining.join(adapters, strengths: strengths, on: model.transformerWeights) { module in
            modules.contains { module.hasSuffix("." + $0) }
        }
        self.model = model
        let words = try ConceptWords(adapters, for: model, strengths: strengths)
        self.words = words
        let rows = adapters.compactMapValues(\.outputRows)
        outputRows = Dictionary(
            uniqueKeysWithValues: rows.map { (words.tokenizer.identifier(of: "<\($0)>")!, Variable($1)) })
        guard !rows.isEmpty else { return }
        model.transformer.drawAsARBooth()
        if tokenwise != nil {
            let others = joining == .byToken ? "; say adapters merged" : " with concepts that act on their words alone"
            throw .notAnAdapter(
                path: rows.keys.sorted()[0],
                reason: "an imported fine-tune of ARBooth's cannot be joined by token\(others)")
        }
    }

    /// Holds the shapes of what an adapter brings against those of what it takes the place of.
    /// - Throws: `AdapterError.unknownWeight` naming what has not.
    private static func verifyShapes(
        of adapter: Adapter, usedAs name: String, on model: InfinityModel
    ) throws(AdapterError) {
        for (weight, tensor) in adapter.replaced where model.transformerWeights.byName[weight]?.shape != tensor.shape {
            throw .unknownWeight(concept: name, name: weight)
        }
        if let placeholder = adapter.placeholder, placeholder.shape != [1, model.encoder.embedding.shape[1]] {
            throw .unknownWeight(concept: name, name: Adapter.placeholderName)
        }
        if let rows = adapter.outputRows, rows.width != model.transformer.configuration.textWidth {
            throw .unknownWeight(concept: name, name: Adapter.outputRowsName)
        }
    }

    /// The model's defaults for these seeds.
    package func sampling(seeds: [UInt64]) -> Sampling { model.sampling(seeds: seeds) }

    /// One picture per prompt, as `sampling` says.
    package func generate(_ prompts: [String], sampling: Sampling) -> [Picture] {
        prompts.indices.parts(of: model.configuration.drawnTogether).flatMap { some in
            generate(together: Array(prompts[some]), sampling: sampling.part(some))
        }
    }

    private func generate(together prompts: [String], sampling: Sampling) -> [Picture] {
        Recording.withoutGradients {
            let text = TextFeatures.joined(
                DistinctTexts(prompts).read {
                    model.encode(
                        [$0], tokenizer: words.tokenizer, replacing: words.embeddings, splicing: outputRows)
                })
            tokenwise?.begin(
                prompts.map { words.tokenizer.encode($0) },
                rows: text.values.value.rows * (sampling.isGuided ? 2 : 1), tokenizer: .unigram(words.tokenizer))
            defer { tokenwise?.end() }
            return model.generate(text, sampling: sampling)
        }
    }
}

extension Adapter {
    /// Puts what it has in the place of weights, or goes a share of the way there; one weight after the other, for all
    /// of them are as large as the model.
    fileprivate func replace(_ weights: Weights, share: Float) throws(AdapterError) {
        for (name, held) in replaced.sorted(by: { $0.key < $1.key }) {
            guard let weight = weights.byName[name]?.value else { continue }
            let tensor = held.tensor
            try verifyReplacing(weight, by: tensor, name: name)
            weight.approach(tensor, by: share)
        }
    }
}

extension Tensor {
    /// Goes a share of the way to another's numbers; a training's own tensors are there already.
    fileprivate func approach(_ other: Tensor, by share: Float) {
        guard pointer != other.pointer else { return }
        guard share != 1 else { return assign(other) }
        let (own, its) = (pointer, other.pointer)
        for i in 0..<count { own[i] += share * (its[i] - own[i]) }
    }
}
