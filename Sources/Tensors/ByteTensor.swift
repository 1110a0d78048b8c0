/// An n-dimensional array of bytes, contiguous and row-major: codes that stand for numbers. Copies share their
/// elements.
package struct ByteTensor {
    /// Elements along each dimension, outermost first.
    package let shape: [Int]
    private let memory: Memory

    /// Zeros of `shape`.
    package init(zeros shape: [Int]) {
        self.shape = shape
        memory = Memory(count: shape.reduce(1, *))
    }

    /// Elements: the product of the shape.
    package var count: Int { memory.bytes.count }
    /// The first element.
    package var pointer: UnsafeMutablePointer<UInt8> { memory.bytes.baseAddress! }
    /// All elements, row-major, in place.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory.bytes) }

    /// Overwrites the elements.
    /// - Precondition: `other` has as many.
    package func assign(_ other: UnsafeRawBufferPointer) {
        precondition(other.count == count, "\(other.count) bytes do not fill \(shape)")
        UnsafeMutableRawBufferPointer(memory.bytes).copyMemory(from: other)
    }

    private final class Memory {
        let bytes: UnsafeMutableBufferPointer<UInt8>

        init(count: Int) {
            bytes = .allocate(capacity: count)
            bytes.initialize(repeating: 0)
        }

        deinit { bytes.deallocate() }
    }
}
