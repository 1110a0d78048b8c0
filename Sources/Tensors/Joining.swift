extension Tensor {
    /// Tensors of one shape but the first dimension, one after the other.
    package static func joined(_ parts: [Tensor]) -> Tensor {
        precondition(
            !parts.isEmpty && parts.allSatisfy { $0.shape.dropFirst() == parts[0].shape.dropFirst() },
            "tensors of \(parts.map(\.shape)) have no common shape behind the first dimension")
        let result = Tensor(uninitialized: [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst())
        var start = 0
        for part in parts {
            (result.pointer + start).update(from: part.pointer, count: part.count)
            start += part.count
        }
        return result
    }
}
