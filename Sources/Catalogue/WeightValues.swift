import Checkpoints

extension Checkpoint {
    /// A weight's numbers; of a matrix in eight bits each times the scale of its row.
    /// - Throws: `CheckpointError` where it is not there, or holds no real numbers.
    func values(of name: String) throws(CheckpointError) -> [Float] {
        var values = try tensor(name).floats()
        guard let scales = try scales(of: name) else { return values }
        let width = values.count / max(scales.count, 1)
        for index in values.indices { values[index] *= scales[index / width] }
        return values
    }

    /// Whether a weight kept elsewhere is this one's: the same numbers, as far as both precisions can tell.
    /// - Throws: `CheckpointError` where either holds no real numbers.
    func holds(_ kept: StoredTensor, as name: String) throws(CheckpointError) -> Bool {
        guard contains(name), try shape(of: name) == kept.shape else { return false }
        let (own, theirs) = (try values(of: name), try kept.floats())
        if let scales = try scales(of: name) {
            let width = own.count / max(scales.count, 1)
            // Half a step, and what sixteen bits may have lost before.
            return own.indices.allSatisfy {
                abs(own[$0] - theirs[$0]) <= 0.501 * scales[$0 / width] + abs(theirs[$0]) / 256
            }
        }
        let type = try tensor(name).type
        return zip(own, theirs).allSatisfy { own, theirs in
            own == theirs || own == theirs.kept(as: type) || own.kept(as: kept.type) == theirs
        }
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
}

extension Float {
    /// What a type of sixteen bits keeps of it.
    fileprivate func kept(as type: ElementType?) -> Float {
        switch type {
        case .bfloat16?: Float(bitPattern: UInt32(roundedToBFloat16) << 16)
        case .float16?: Float(Float16(self))
        default: self
        }
    }
}
