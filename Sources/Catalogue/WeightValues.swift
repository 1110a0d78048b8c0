import Checkpoints

extension Checkpoint {
    /// A weight's numbers; of a matrix in eight bits each times the scale of its row.
    /// - Throws: `CheckpointError` where it is not there, or holds no real numbers.
    func values(of name: String) throws(CheckpointError) -> [Float] { try scaled(name).values }

    /// Whether a weight kept elsewhere is this one's: the same numbers, as far as both precisions can tell.
    /// - Throws: `CheckpointError` where either holds no real numbers.
    func holds(_ kept: StoredTensor, as name: String) throws(CheckpointError) -> Bool {
        guard contains(name), try shape(of: name) == kept.shape else { return false }
        let (type, theirs) = (try tensor(name).type, try kept.floats())
        let weight = try scaled(name)
        let own = weight.values
        guard let scales = weight.scales else {
            // Of two types each may have lost something, of one neither did.
            let isOther = type != kept.type
            return zip(own, theirs).allSatisfy { own, theirs in
                let lost = isOther ? own.halfStep(of: type) + theirs.halfStep(of: kept.type) : 0
                return own == theirs || abs(own - theirs) <= lost
            }
        }
        let width = own.count / max(scales.count, 1)
        // Half a step, and what sixteen bits may have lost before.
        return own.indices.allSatisfy {
            abs(own[$0] - theirs[$0]) <= 0.501 * scales[$0 / width] + abs(theirs[$0]) / 256
        }
    }

    /// A weight's numbers, and what the rows of a matrix in eight bits were multiplied by; nil of every other weight.
    private func scaled(_ name: String) throws(CheckpointError) -> (values: [Float], scales: [Float]?) {
        var values = try tensor(name).floats()
        guard let scales = try scales(of: name) else { return (values, nil) }
        let width = values.count / max(scales.count, 1)
        for index in values.indices { values[index] *= scales[index / width] }
        return (values, scales)
    }

    /// What the rows of a matrix in eight bits are multiplied by; nil of every other tensor.
    private func scales(of name: String) throws(CheckpointError) -> [Float]? {
        let beside = name + StoredTensor.scaleSuffix
        guard try tensor(name).type == .int8, contains(beside) else { return nil }
        let (scales, shape) = (try tensor(beside).floats(), try shape(of: name))
        guard scales.count == shape.first else {
            throw CheckpointError(
                path: path, problem: "\(beside) has \(scales.count) scales for a tensor of shape \(shape)")
        }
        return scales
    }

    /// Whether a tensor is what the rows of another are multiplied by.
    func isScale(_ name: String) -> Bool {
        name.hasSuffix(StoredTensor.scaleSuffix) && contains(String(name.dropLast(StoredTensor.scaleSuffix.count)))
    }
}

extension Float {
    /// How far rounding to a type of sixteen bits may have moved what became this.
    fileprivate func halfStep(of type: ElementType?) -> Float {
        switch type {
        case .bfloat16?: ulp * 0x1p15
        case .float16?: Float(Float16(self).ulp) / 2
        default: 0
        }
    }
}
