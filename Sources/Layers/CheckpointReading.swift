import Checkpoints
import Tensors

extension StoredTensor {
    /// The numbers as floats, in the stored shape.
    /// - Throws: `CheckpointError` where they are no real numbers.
    package func tensor() throws(CheckpointError) -> Tensor {
        try checkSize()
        let result = Tensor(uninitialized: shape)
        try read(into: UnsafeMutableBufferPointer(start: result.pointer, count: count))
        return result
    }
}

extension Safetensors {
    /// A tensor's numbers as floats, in the stored shape.
    /// - Throws: `CheckpointError` where there is none of that name, or no real numbers in it.
    package func tensor(_ name: String) throws(CheckpointError) -> Tensor { try entry(name).tensor() }

    /// A tensor's whole numbers.
    /// - Throws: `CheckpointError` when its type is not an integer or Boolean.
    package func integers(_ name: String) throws(CheckpointError) -> [Int] { try entry(name).integers() }
}

extension Checkpoint {
    /// What each row of a matrix in eight bits is multiplied by [rows]; nil of every other tensor.
    /// - Throws: `CheckpointError` where scales are there that do not fit.
    func scales(of stored: StoredTensor) throws(CheckpointError) -> Tensor? {
        let name = stored.name + StoredTensor.scaleSuffix
        guard stored.type == .int8, contains(name) else { return nil }
        let scales = try tensor(name)
        guard let rows = stored.shape.first, scales.count == rows else {
            throw CheckpointError(
                path: scales.path, problem: "\(name) has \(scales.count) scales for a tensor of shape \(stored.shape)")
        }
        return try scales.tensor()
    }

    /// Every tensor of a file, a set of shards or a folder as floats, in whatever container they are: see
    /// `realTensors`.
    /// - Throws: `CheckpointError`.
    package static func tensors(_ path: String, section: String? = nil) throws(CheckpointError) -> [String: Tensor] {
        try open(path, section: section).realTensors()
    }

    /// Every tensor as floats; those of a type that is not read are left out, and missed only by who needs them.
    /// - Throws: `CheckpointError`.
    package func realTensors() throws(CheckpointError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for name in names {
            let stored = try tensor(name)
            if stored.type?.isReal == true { tensors[name] = try stored.tensor() }
        }
        return tensors
    }
}

extension Tensor {
    /// Multiplies every row along the first dimension by its factor.
    func scaleRows(by factors: Tensor) {
        let width = count / max(factors.count, 1)
        for row in 0..<factors.count {
            for i in row * width..<(row + 1) * width { pointer[i] *= factors.pointer[row] }
        }
    }
}
