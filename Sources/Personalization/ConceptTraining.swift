import Foundation
import Layers
import Tensors

/// Something that learns step by step. Everything random at a step depends on the seed and the step alone, and `state`
/// holds every number the next step reads: a run restored from it ends with the same bytes as an undisturbed one.
package protocol StepwiseTraining: AnyObject {
    associatedtype Losses: TrainingLosses
    /// Steps taken so far.
    var step: Int { get }
    /// Steps in all.
    var steps: Int { get }
    /// One step.
    func advance() -> Losses
    /// Everything the next step reads: look at it before the next step.
    var state: OptimizerState { get }
    /// Continues from a state saved by a run of the same model, concepts, options, pictures and seed.
    /// - Throws: `WeightsError` when the state belongs to other weights.
    func restore(_ state: OptimizerState) throws(WeightsError)
    /// A weight that is changed by far more than its own size, as no training that went well does, and by how many
    /// times; nil where none is.
    var excess: (module: String, ratio: Float)? { get }
}

extension StepwiseTraining {
    /// Nil: no weight is changed.
    package var excess: (module: String, ratio: Float)? { nil }
}

/// A training that learns a concept, and gives it as an adapter.
package protocol ConceptTraining: StepwiseTraining {
    /// What was learned, as a file holds it.
    /// - Parameter modelDigest: of the backbone's weights, which the adapter is held against when it is used.
    func adapter(modelDigest: String) throws -> Adapter
    /// What learns, by the names an adapter has it under.
    var learning: [String: Parameter] { get }
    /// Takes off the model what the training hung on it; the last thing a training does.
    func detach()
}

extension ConceptTraining {
    /// Nothing: the training changed the weights, or hangs nothing on them.
    package func detach() {}

    /// Begins with what was learnt before instead of with the model; before the first step.
    /// - Throws: `AdapterError` for an adapter that does not hold exactly what learns here.
    package func begin(with adapter: Adapter) throws(AdapterError) {
        let learning = learning
        try adapter.verifyHolding(exactly: learning.mapValues(\.shape))
        for (name, parameter) in learning { parameter.value.assign(adapter.held[name]!.tensor) }
        try rescale(from: adapter)
    }

    /// The same changes count α/r of this training instead of that of the earlier one.
    private func rescale(from adapter: Adapter) throws(AdapterError) {
        guard let earlier = try adapter.lora(), let own = try (try? self.adapter(modelDigest: ""))?.lora() else {
            return
        }
        for (module, update) in earlier.updates {
            guard let scale = own.updates[module]?.scale, scale != update.scale, scale != 0,
                let up = learning["\(LoRAAdapter.prefix)\(module).lora_B.weight"]
            else { continue }
            let scaled = Tensor(zeros: up.value.shape)
            scaled.accumulate(up.value, scale: update.scale / scale)
            up.value.assign(scaled)
        }
    }
}

extension Adapter {
    /// Holds it against what a training learns that shall go on from it.
    /// - Parameter shapes: of all that learns, by the names an adapter has it under.
    /// - Throws: `AdapterError.unknownWeight` where it does not hold exactly that; what else it holds would be lost.
    package func verifyHolding(exactly shapes: [String: [Int]]) throws(AdapterError) {
        let names = Set(held.keys).union(shapes.keys)
        guard let other = names.filter({ held[$0]?.shape != shapes[$0] }).min() else { return }
        throw .unknownWeight(concept: description.concept, name: other)
    }
}

/// The losses of one step.
package protocol TrainingLosses: Sendable {
    /// What is minimized.
    var total: Float { get }
    /// Before it is clipped.
    var gradientNorm: Float { get }
    /// Its parts before their weights, by name.
    var parts: KeyValuePairs<String, Float> { get }
}

extension TrainingLosses {
    /// Whether the step was one: with a gradient that is no number the weights are none any more.
    package var isFinite: Bool { total.isFinite && gradientNorm.isFinite }
}

extension Adapter.Description {
    /// A method's options as an adapter keeps them: equal options give equal bytes.
    package static func text(of options: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(options), as: UTF8.self)
    }
}
