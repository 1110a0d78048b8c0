/// One tensor as its file holds it: a view of mapped bytes, which stay mapped while the view is held.
package struct StoredTensor: Sendable {
    /// The name in the file.
    package let name: String
    /// Empty of a single number.
    package let shape: [Int]
    /// What the numbers are, or nil for a type that only its name is known of.
    package let type: ElementType?
    /// The type as the file calls it.
    package let typeName: String
    /// How far the next number of each dimension is, in numbers; 0 repeats one.
    package let strides: [Int]
    /// The first number's place in the storage, in numbers.
    package let offset: Int
    let storage: MappedBytes

    /// How many numbers.
    package var count: Int { shape.reduce(1, *) }

    /// Whether the numbers follow each other in the storage in the order of the shape.
    private var isContiguous: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected || count == 0 else { return false }
            expected *= size
        }
        return true
    }

    /// The raw bytes in the order of the shape, not copied and valid while this value is held; nil where the numbers
    /// do not follow each other or their size is not known.
    package var contiguousBytes: UnsafeRawBufferPointer? {
        guard let type, isContiguous else { return nil }
        let start = count == 0 ? 0 : offset * type.size
        return storage.part(start..<start + count * type.size).pointer
    }

    /// Says that the bytes are not needed soon, because there is a copy: they count as this process's memory no more.
    /// Who reads them again has them from the file.
    package func forget() { if let bytes = contiguousBytes { storage.file.forget(bytes) } }

    /// The file the bytes are in.
    package var path: String { storage.file.path }

    func problem(_ text: String) -> CheckpointError { CheckpointError(path: path, problem: "\(name) \(text)") }

    /// Row-major strides of a shape.
    package static func strides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] &* Swift.max(shape[i + 1], 1) }
        return strides
    }
}

extension StoredTensor {
    /// More dimensions than torch knows are a damaged file.
    static let mostDimensions = 64
    /// Numbers a view that repeats its storage may have (2^26: 256 MiB as floats): a few bytes must not ask for
    /// terabytes.
    static let mostRepeated = 1 << 26

    /// What is wrong with a view of a storage of `stored` numbers, or nil.
    static func fault(shape: [Int], strides: [Int], offset: Int, stored: Int) -> String? {
        guard shape.count == strides.count, shape.count <= mostDimensions else {
            return "has \(shape.count) sizes and \(strides.count) strides; at most \(mostDimensions) of each, as many"
        }
        guard offset >= 0, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
            return "has a negative size, stride or offset: \(shape), \(strides), \(offset)"
        }
        var (count, last, isTooLarge) = (1, offset, false)
        for (size, stride) in zip(shape, strides) {
            let product = count.multipliedReportingOverflow(by: Swift.max(size, 1))
            let way = Swift.max(size - 1, 0).multipliedReportingOverflow(by: stride)
            let sum = last.addingReportingOverflow(way.partialValue)
            isTooLarge = isTooLarge || product.overflow || way.overflow || sum.overflow
            (count, last) = (product.partialValue, sum.partialValue)
        }
        guard !isTooLarge else { return "has an impossible shape \(shape) with strides \(strides) from \(offset)" }
        guard shape.contains(0) || last < stored else {
            return "reaches to number \(last) of a storage of \(stored): shape \(shape), strides \(strides), "
                + "offset \(offset)"
        }
        return nil
    }
}
