import Checkpoints
import Layers
import Tensors

/// A low-rank adapter read for a model: which of its weights change, and how.
package struct AdapterChanges {
    let format: AdapterFormat
    /// By the weight's own name; of several components the names do not collide within one.
    package let changes: [(parameter: Parameter, change: LowRankChange)]
    /// Weights that the adapter gives whole.
    package let replaced: [(parameter: Parameter, value: Tensor)]

    /// Reads an adapter of PEFT, diffusers or kohya for a model.
    /// - Throws: `LoRAError` for what is not built or does not fit, naming every key without a place; `CheckpointError`
    ///   for damage.
    package init(path: String, for targets: AdapterTargets) throws {
        let named = try AdapterReader(path).read()
        var changes: [(parameter: Parameter, change: LowRankChange)] = []
        var homeless: [String] = []
        for (module, stored) in named.changes {
            let change = try LowRankChange(stored)
            let places = targets.places(module)
            if places.isEmpty { homeless.append(module.description) }
            for place in places {
                guard let own = change.part(place, of: places), own.fits(place.parameter.shape) else {
                    let shape = place.parameter.shape
                    homeless.append(
                        "\(module.description) (\(change.up.shape) · \(change.down.shape) for \(shape))"
                    )
                    continue
                }
                changes.append((place.parameter, own))
            }
        }
        var replaced: [(parameter: Parameter, value: Tensor)] = []
        for (module, stored) in named.replaced {
            let value = try stored.tensor()
            if let parameter = targets.weight(module.name), parameter.shape == value.shape {
                replaced.append((parameter, value))
            } else if !module.name.contains("vqmodel.") {
                // Chameleon's folder may hold a picture tokenizer that pictures never go through.
                homeless.append(module.name)
            }
        }
        guard homeless.isEmpty else { throw LoRAError.homeless(path: path, names: homeless.sorted()) }
        (format, self.replaced) = (named.format, replaced)
        self.changes = changes.sorted { $0.parameter.name < $1.parameter.name }
    }

    /// Puts a share of the changes, and what is given whole, into the model's weights.
    package func merge(share: Float = 1) {
        for (parameter, value) in replaced { parameter.value.assign(value) }
        for (parameter, change) in changes { change.merge(into: parameter.value, share: share) }
    }
}

extension LowRankChange {
    /// The part of the update that belongs to one of its places; nil where it has not as many rows as all of them.
    fileprivate func part(_ place: AdapterTargets.Place, of places: [AdapterTargets.Place]) -> LowRankChange? {
        let total = places.compactMap(\.rows?.upperBound).max()
        guard total == nil || total == up.shape[0] else { return nil }
        var part = self
        if let rows = place.rows { (part.up, part.magnitude) = (up.slice(rows), magnitude?.slice(rows)) }
        if place.isSwapped { (part.up, part.magnitude) = (part.up.swappedHalves, part.magnitude?.swappedHalves) }
        return part
    }
}

extension Tensor {
    /// The same with the second half of its rows before the first.
    fileprivate var swappedHalves: Tensor {
        let half = shape[0] / 2
        return .joined([slice(half..<shape[0]), slice(0..<half)])
    }
}
