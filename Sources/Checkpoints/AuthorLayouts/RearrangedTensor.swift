/// A tensor made of rows of stored ones, one part after the other: another's name, some of its rows, or its rows in
/// another order. Nothing is copied before it is read.
package struct RearrangedTensor: Sendable {
    /// Its name in the layout it is brought into.
    package let name: String
    /// Of one shape but for their rows, unless the tensor has a shape of its own.
    package let parts: [StoredTensor]
    private let own: [Int]?

    /// - Parameter shape: of as many numbers as the parts have; their rows one after the other unless given.
    package init(_ name: String, _ parts: [StoredTensor], shape: [Int]? = nil) {
        (self.name, self.parts, own) = (name, parts, shape)
    }

    /// A stored one as it is.
    package init(_ name: String, _ stored: StoredTensor) { self.init(name, [stored]) }

    /// The parts' rows one after the other, or the shape it was given.
    package var shape: [Int] {
        if let own { return own }
        guard parts.count > 1 else { return parts[0].shape }
        return [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst()
    }

    /// How many numbers.
    package var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// That of its numbers; nil where parts differ in it, or it is not known.
    package var type: ElementType? { parts.allSatisfy { $0.type == parts[0].type } ? parts[0].type : nil }

    /// The numbers as floats, in the order of the shape.
    /// - Throws: `CheckpointError` as `StoredTensor.floats()` does.
    package func floats() throws(CheckpointError) -> [Float] {
        var all: [Float] = []
        all.reserveCapacity(count)
        for part in parts { all += try part.floats() }
        return all
    }
}

extension StoredTensor {
    private func view(_ shape: [Int], _ strides: [Int], _ offset: Int) -> StoredTensor {
        StoredTensor(
            name: name, shape: shape, type: type, typeName: typeName, strides: strides, offset: offset,
            storage: storage)
    }

    /// Some of its rows, every `step`th of the range.
    /// - Precondition: it has rows, and the range lies within them.
    package func rows(_ range: Range<Int>, step: Int = 1) -> StoredTensor {
        precondition(!shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0] && step > 0)
        return view(
            [(range.count + step - 1) / step] + shape.dropFirst(), [strides[0] * step] + strides.dropFirst(),
            offset + range.lowerBound * strides[0])
    }

    /// [A, B] → [B, A].
    /// - Precondition: it is a matrix.
    package var transposed: StoredTensor {
        precondition(shape.count == 2)
        return view(shape.reversed(), strides.reversed(), offset)
    }

    /// A matrix that is stored as a 1×1 convolution, [A, B, 1, 1] → [A, B]; anything else as it is.
    var withoutKernel: StoredTensor {
        guard shape.count == 4, shape[2] == 1, shape[3] == 1 else { return self }
        return view(Array(shape.prefix(2)), Array(strides.prefix(2)), offset)
    }

    /// As many rows in every part.
    /// - Precondition: it has rows.
    func split(into parts: Int) -> [StoredTensor] {
        let size = shape[0] / parts
        return (0..<parts).map { rows($0 * size..<($0 + 1) * size) }
    }
}
