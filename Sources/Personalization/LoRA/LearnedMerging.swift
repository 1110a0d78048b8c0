import Autograd
import Backbones
import Layers
import Tensors

/// Two low-rank adapters merged with a learnt factor for each column of every change (ZipLoRA, Shah et al., arXiv
/// 2311.13600, section 3.3; github.com/mkshing/ziplora-pytorch).
///
/// The factors m learn that the merged model says of each concept's references what the model with that concept's
/// adapter alone says of them, and that the two changes use different columns:
/// D(m; x₁) + D(m; x₂) + λ Σ over modules of mean |m₁ ⊙ m₂|. Of a diffusion model D is the squared error of what it
/// predicts; of an autoregressive one, here, the divergence of the next token.
package struct LearnedMerging {
    /// As published.
    package struct Options: Codable, Equatable, Sendable {
        /// Steps, each of both concepts.
        package var iterations = 100
        /// AdamW's, of the factors.
        package var learningRate: Float = 0.01
        /// λ.
        package var similarityWeight: Float = 0.01
        /// Where every factor starts.
        package var start: Float = 1

        package init() {}
    }

    /// A concept with what was learnt of it.
    package typealias Learnt = (concept: Concept, adapter: LoRAAdapter)

    private let learnt: [Learnt]
    private let options: Options

    /// - Parameter learnt: each with references; their adapters change the same model.
    package init(_ learnt: [Learnt], options: Options = Options()) {
        self.learnt = learnt
        self.options = options
    }

    /// The adapters, each with its learnt factors multiplied into it: added together they are the merged change.
    /// - Parameter model: left as it was, but frozen.
    /// - Throws: `LoRAError.doesNotFit` for an adapter of another model.
    package func merge(on model: ChameleonModel) throws(LoRAError) -> [LoRAAdapter] {
        model.freeze()
        var references: [[Reference]] = []
        for one in learnt { references.append(try self.references(of: one, model)) }
        let factored = learnt.indices.map(factored)
        defer { for adapter in factored { adapter.detach(from: model.transformerWeights) } }
        for adapter in factored {
            for (parameter, update) in try adapter.targets(in: model.transformerWeights) {
                parameter.updates.append(update)
            }
        }
        learn(factored, from: references, model)
        return factored.map { LoRAAdapter(options: $0.options, updates: $0.updates.mapValues(\.folded)) }
    }

    // MARK: - Learning

    /// A reference as the model reads it, and what it says with the concept's own adapter.
    private struct Reference {
        let sequence: ChameleonSequence
        /// Logits [asked, V].
        let teacher: Tensor
    }

    private func references(of one: Learnt, _ model: ChameleonModel) throws(LoRAError) -> [Reference] {
        try one.adapter.attach(to: model.transformerWeights)
        defer { one.adapter.detach(from: model.transformerWeights) }
        let prompt = one.concept.photoPrompt(DreamBooth.identifier(of: one.concept.role))
        return model.codes(one.concept.squares(of: model.configuration.pictureSize)).map { codes in
            let sequence = model.sequence(prompt, codes: codes)
            return Reference(sequence: sequence, teacher: CoARLoss.teacher(model, of: sequence))
        }
    }

    /// The adapter of one concept with factors that learn.
    private func factored(_ number: Int) -> LoRAAdapter {
        let adapter = learnt[number].adapter
        return LoRAAdapter(
            options: adapter.options,
            updates: Dictionary(
                uniqueKeysWithValues: adapter.updates.map { module, update in
                    let columns = Tensor(zeros: [1, update.down.shape[1]])
                    columns.fill(options.start)
                    let factors = Parameter(name: "\(module).columns.\(number)", value: columns)
                    factors.isTrainable = true
                    return (
                        module,
                        LowRankUpdate(down: update.down, up: update.up, scale: update.scale, columns: factors)
                    )
                }))
    }

    private func learn(_ adapters: [LoRAAdapter], from references: [[Reference]], _ model: ChameleonModel) {
        let factors = adapters.flatMap { adapter in adapter.updates.keys.sorted().map { adapter.updates[$0]!.columns! }
        }
        let optimizer = AdamW(factors, AdamW.Options(learningRate: options.learningRate, weightDecay: 0))
        while optimizer.step < options.iterations {
            for some in references {
                let reference = some[optimizer.step % some.count]
                let logits = model.transformer.logits(reference.sequence.ids, batch: 1)
                CoARLoss.divergence(logits, asked: reference.sequence.asked, teacher: reference.teacher).backward()
            }
            for (number, adapter) in adapters.enumerated() {
                for other in adapters[..<number] { penalize(adapter, other) }
            }
            optimizer.update()
        }
    }

    /// Adds the gradient of what the two have in common.
    private func penalize(_ adapter: LoRAAdapter, _ other: LoRAAdapter) {
        for (module, update) in adapter.updates {
            guard let own = update.columns, let theirs = other.updates[module]?.columns else { continue }
            let common = Multiply().apply([own.variable, theirs.variable])
            let none = Variable(Tensor(zeros: own.shape))
            (options.similarityWeight * AbsoluteError().apply([common, none])).backward()
        }
    }
}
