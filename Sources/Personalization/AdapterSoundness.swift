import Checkpoints
import Foundation
import Layers
import Tensors

/// Whether an adapter is whole, and does what a concept's adapter should.
extension Adapter {
    static let arboothMethod = "arbooth"

    /// Holds the model it was learnt on against the one it is used on.
    /// - Parameters:
    ///   - name: what it is used as.
    ///   - digest: of the model's weights.
    /// - Throws: `AdapterError.otherModel`.
    func verify(usedAs name: String, on model: String, digest: String) throws(AdapterError) {
        guard description.modelDigest == digest else {
            throw .otherModel(concept: name, wanted: model, found: description.model)
        }
    }

    /// Holds the weights that an adapter replaces against all that its method trains.
    /// - Parameter weights: the backbone's.
    /// - Throws: `AdapterError.incomplete`.
    func verifyWhole(among weights: Weights) throws(AdapterError) {
        // ARBooth's own code leaves what it did not change, and an import takes none of it.
        guard description.method == Adapter.arboothMethod, outputRows == nil,
            let options = try? JSONDecoder().decode(ARBoothOptions.self, from: Data(description.options.utf8))
        else { return }
        let wanted = weights.parameters.count { options.trains($0.name) }
        guard replaced.count == wanted else {
            throw .incomplete(concept: description.concept, found: replaced.count, wanted: wanted)
        }
    }

    /// Holds a LoRA adapter's modules and their changes against the model's weights.
    /// - Throws: `AdapterError.incomplete`, `AdapterError.excessive`.
    func verifySound(_ lora: LoRAAdapter, among weights: Weights) throws(AdapterError) {
        let modules = weights.parameters.filter(\.isProjection).map { String($0.name.dropLast(".weight".count)) }
        let wanted = modules.count { lora.options.selects($0) }
        guard lora.updates.count == wanted else {
            throw .incomplete(concept: description.concept, found: lora.updates.count, wanted: wanted)
        }
        for (module, update) in lora.updates.sorted(by: { $0.key < $1.key }) {
            guard let weight = weights.byName["\(module).weight"] else { continue }
            try verifySound(update.matrix.sumOfSquares, of: module, beside: weight.sumOfSquares)
        }
    }

    /// Holds the squares of a change against those of the weight.
    /// - Throws: `AdapterError.excessive`.
    func verifySound(_ change: Double, of module: String, beside weight: Double) throws(AdapterError) {
        let ratio = Float((change / max(weight, 1e-30)).squareRoot())
        guard ratio <= NamedChanges.Change.largestRatio else {
            throw .excessive(concept: description.concept, name: module, ratio: ratio)
        }
    }

    /// What is strange about using it under a name, though it can be used.
    package func warnings(usedAs name: String) -> [String] {
        let ups = tensors.filter { $0.key.hasSuffix(".lora_B.weight") }
        return [
            isLoRA && ups.values.allSatisfy { $0.sumOfSquares == 0 }
                ? "the concept \(name) changes nothing: all of its adapter's lora_B are zero" : nil,
            description.concept != name
                ? "the adapter given for \(name) was learnt as \(description.concept); it is used as \(name)" : nil,
        ].compactMap { $0 }
    }
}
