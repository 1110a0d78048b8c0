import Checkpoints
import Foundation
import Jobs
import Layers
import Tensors

/// Whether an adapter is whole, and does what a concept's adapter should.
extension Adapter {
    /// A vector that stands for a word or a state is damaged where it is this many times as large as the model's words
    /// are on average: one that learns from the table's size at a large rate comes to some hundred.
    private static let largestVector: Double = 1000

    /// Holds the model it was learnt on against the one it is used on, and its method against what that learns.
    /// - Parameters:
    ///   - name: what it is used as.
    ///   - digest: of the model's weights.
    /// - Throws: `AdapterError.otherModel`, `AdapterError.notAnAdapter`.
    func verify(
        usedAs name: String, on model: String, digest: String, family: ModelFamily
    ) throws(AdapterError) {
        guard description.modelDigest == digest else {
            throw .otherModel(concept: name, wanted: model, found: description.model)
        }
        let method = description.method
        guard method.families.contains(family) else {
            throw .notAnAdapter(
                path: name, reason: "its method is \(method.rawValue), which no \(family.rawValue) model learns by")
        }
    }

    /// Holds the weights that an adapter replaces against all that its method trains.
    /// - Parameter weights: the backbone's.
    /// - Throws: `AdapterError.incomplete`.
    func verifyWhole(among weights: Weights) throws(AdapterError) {
        // ARBooth's own code leaves what it did not change, and an import takes none of it.
        guard description.method == .arbooth, outputRows == nil else { return }
        let options = try options(ARBoothOptions.self)
        // Earlier versions trained the pooling of the text too.
        let wanted = weights.parameters.filter { options.trains($0.name) }
        let found = wanted.count { held[$0.name] != nil }
        guard found == wanted.count else {
            throw .incomplete(concept: description.concept, found: found, wanted: wanted.count)
        }
    }

    /// Holds what takes the place of a weight against that weight.
    /// - Throws: `AdapterError.emptied`, `AdapterError.excessive`.
    func verifyReplacing(_ weight: Tensor, by tensor: Tensor, name: String) throws(AdapterError) {
        // A training's own weights are there already.
        guard tensor.pointer != weight.pointer else { return }
        guard tensor.sumOfSquares > 0 || weight.sumOfSquares == 0 else {
            throw .emptied(concept: description.concept, name: name)
        }
        try verifySound(tensor.squaredDistance(to: weight), of: name, beside: weight.squaresAsWeight)
    }

    /// Holds a vector that stands for a word, or for states in a word's place, against the words the model knows.
    /// - Parameters:
    ///   - vectors: [n, C].
    ///   - table: of embeddings, [vocabulary, C].
    /// - Throws: `AdapterError.emptied`, `AdapterError.excessive`.
    func verifyWord(_ vectors: Tensor, name: String, among table: Parameter) throws(AdapterError) {
        let own = vectors.sumOfSquares / Double(max(vectors.count, 1))
        let known = table.sumOfSquares / Double(max(table.count, 1))
        guard own > 0 || known == 0 else { throw .emptied(concept: description.concept, name: name) }
        let ratio = (own / max(known, 1e-12)).squareRoot()
        guard ratio <= Self.largestVector else {
            throw .excessive(concept: description.concept, name: name, ratio: Float(ratio))
        }
    }

    /// The options of its method.
    /// - Throws: `AdapterError.notAnAdapter` where they are another's.
    func options<Options: Decodable>(_: Options.Type) throws(AdapterError) -> Options {
        do { return try JSONDecoder().decode(Options.self, from: Data(description.options.utf8)) } catch {
            throw .notAnAdapter(
                path: description.concept, reason: "its options are not those of \(description.method.rawValue)")
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
        if let (module, ratio) = lora.excess(beside: weights) {
            throw .excessive(concept: description.concept, name: module, ratio: ratio)
        }
    }

    /// Holds the squares of a change against those of the weight.
    /// - Throws: `AdapterError.excessive`.
    func verifySound(_ change: Double, of module: String, beside weight: Double) throws(AdapterError) {
        guard let ratio = NamedChanges.Change.excess(change, beside: weight) else { return }
        throw .excessive(concept: description.concept, name: module, ratio: ratio)
    }

    /// What is strange about using it under a name, though it can be used.
    package func warnings(usedAs name: String) -> [String] {
        [
            isIdle
                ? "the concept \(name) changes nothing: its adapter's alpha, or all its lora_A or lora_B, are zero"
                : nil,
            !known.contains { $0.name == name }
                ? "the adapter given for \(name) was learnt as \(description.concept); it is used as \(name)" : nil,
        ].compactMap { $0 }
    }

    /// Whether it is low-rank changes all of which are zero.
    private var isIdle: Bool {
        guard isLoRA else { return false }
        let (downs, ups) = ("lora_A.weight", "lora_B.weight")
        let scales = try? lora()?.updates.values.map(\.scale)
        return (scales ?? []).allSatisfy { $0 == 0 } && scales?.isEmpty == false
            || held.allSatisfy { name, up in
                guard name.hasSuffix(ups) else { return true }
                let down = held[name.dropLast(ups.count) + downs]
                return up.tensor.sumOfSquares == 0 || down?.tensor.sumOfSquares == 0
            }
    }
}

extension LoRAAdapter {
    /// The first module, in order of names, that is changed by far more than its own size, and by how many times; nil
    /// where none is.
    func excess(beside weights: Weights) -> (module: String, ratio: Float)? {
        for (module, update) in updates.sorted(by: { $0.key < $1.key }) {
            guard let weight = weights.byName["\(module).weight"],
                let ratio = NamedChanges.Change.excess(update.matrix.sumOfSquares, beside: weight.sumOfSquares)
            else { continue }
            return (module, ratio)
        }
        return nil
    }
}

extension Parameter {
    /// How many times its former size a weight that learnt in place may have changed by, at most, where that can be too
    /// much; nil where it cannot. What it was is gone, but a change is no longer than both together.
    /// - Parameter squares: its `squaresAsWeight` of before.
    func excess(beside squares: Double) -> Float? {
        let longest = sumOfSquares.squareRoot() + squares.squareRoot()
        return NamedChanges.Change.excess(longest * longest, beside: squares)
    }
}

extension NamedChanges.Change {
    /// How many times a change is as large as its weight, where that is too much, by the squares of both; nil where it
    /// is not.
    fileprivate static func excess(_ change: Double, beside weight: Double) -> Float? {
        let ratio = Float((change / max(weight, 1e-30)).squareRoot())
        return ratio <= largestRatio ? nil : ratio
    }
}

extension Tensor {
    /// Σ of the squares that a change of the weight is held against. Biases may begin at nothing: they are held against
    /// gains, which are about one.
    var squaresAsWeight: Double {
        let isMatrix = shape.count { $0 > 1 } > 1
        return isMatrix ? sumOfSquares : max(sumOfSquares, Double(count))
    }

    fileprivate func squaredDistance(to other: Tensor) -> Double {
        (0..<count).reduce(0) { sum, i in
            let difference = Double(pointer[i]) - Double(other.pointer[i])
            return sum + difference * difference
        }
    }
}
