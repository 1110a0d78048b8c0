import CKernels
import Glibc

/// Memory of one or more tensors: 64-byte aligned floats, freed with the last tensor that looks at them.
package final class Storage {
    private let memory: UnsafeMutableRawPointer
    /// The first float, 64-byte aligned.
    package let pointer: UnsafeMutablePointer<Float>
    /// In floats.
    package let count: Int
    /// How the floats are computed once more; nil where nobody said.
    package internal(set) var recipe: Recipe?

    /// Memory for `count` floats, undefined until written; the process ends where there is none.
    package init(count: Int) {
        // Aligned here: glibc up to 2.37 fits no aligned request into the gap that one of its size has left, and such
        // gaps came to a third of a training's memory.
        guard let memory = malloc(max(count, 1) * MemoryLayout<Float>.stride + Self.alignment) else {
            fatalError("out of memory: \(count) floats (\(count * 4) bytes) could not be allocated")
        }
        self.memory = memory
        pointer = memory.alignedUp(toMultipleOf: Self.alignment).bindMemory(to: Float.self, capacity: max(count, 1))
        self.count = count
    }

    deinit { free(memory) }

    /// In bytes: a line of the processor's cache, and its widest register.
    private static let alignment = 64

    /// Keeps freed blocks in the process: activations of one step are reused by the next instead of being returned to
    /// and zeroed again by the kernel. Called once by the engine before it computes.
    package static func keepFreedMemory() {
        atelier_keep_freed_memory()
    }
}

/// An n-dimensional array of floats, contiguous and row-major. A value of shape and storage: copies share their
/// elements.
package struct Tensor {
    /// Elements along each dimension, outermost first; [] is one number.
    package let shape: [Int]
    /// What the elements lie in, perhaps with those of other tensors.
    package let storage: Storage
    /// The first element, in floats from the storage's start.
    package let offset: Int

    /// `shape` within `storage`, from `offset` on: a view that shares memory.
    package init(shape: [Int], storage: Storage, offset: Int = 0) {
        precondition(offset >= 0 && offset + shape.reduce(1, *) <= storage.count, "a tensor reaches past its storage")
        self.shape = shape
        self.storage = storage
        self.offset = offset
    }

    /// Elements undefined until written.
    package init(uninitialized shape: [Int]) {
        self.init(shape: shape, storage: Storage(count: shape.reduce(1, *)))
    }

    /// Zeros of `shape`, in memory of its own.
    package init(zeros shape: [Int]) {
        self.init(uninitialized: shape)
        pointer.initialize(repeating: 0, count: count)
    }

    /// `value` in every element of `shape`, in memory of its own.
    package init(repeating value: Float, shape: [Int]) {
        self.init(uninitialized: shape)
        pointer.initialize(repeating: value, count: count)
    }

    /// - Precondition: `values` holds one value per element, row-major.
    package init(_ values: [Float], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill shape \(shape)")
        self.init(uninitialized: shape)
        values.withUnsafeBufferPointer {
            if let base = $0.baseAddress { pointer.update(from: base, count: values.count) }
        }
    }

    /// Elements: the product of the shape.
    @inlinable package var count: Int { shape.reduce(1, *) }
    @inlinable package var pointer: UnsafeMutablePointer<Float> { storage.pointer + offset }
    /// Rows when the last dimension is taken as columns.
    package var rows: Int { shape.isEmpty ? 1 : shape.dropLast().reduce(1, *) }
    /// The last dimension.
    package var width: Int { shape.last ?? 1 }
    /// A copy of the elements, row-major.
    package var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    /// The same elements under another shape of as many elements.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "\(self.shape) cannot be seen as \(shape)")
        return Tensor(shape: shape, storage: storage, offset: offset)
    }

    /// Elements of `range` along the first dimension, sharing memory.
    package func slice(_ range: Range<Int>) -> Tensor {
        let stride = shape.dropFirst().reduce(1, *)
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) is outside 0..<\(shape[0])")
        return Tensor(
            shape: [range.count] + shape.dropFirst(), storage: storage, offset: offset + range.lowerBound * stride)
    }

    /// The same shape and elements in memory of its own.
    package func copy() -> Tensor {
        let result = Tensor(uninitialized: shape)
        result.pointer.update(from: pointer, count: count)
        return result
    }

    /// Overwrites the elements with those of `other`, which has as many (whatever its shape).
    package func assign(_ other: Tensor) {
        precondition(other.count == count, "\(other.shape) does not fill \(shape)")
        pointer.update(from: other.pointer, count: count)
    }

    /// Overwrites every element with `value`.
    package func fill(_ value: Float) { atelier_fill(pointer, value, count) }
}

extension Tensor {
    /// Σ of all elements, in double precision.
    package var sum: Double { atelier_sum(pointer, count) }
    /// Σ of the squares of all elements, in double precision.
    package var sumOfSquares: Double { atelier_sum_of_squares(pointer, count) }
    /// Whether every element is a number, and none infinite.
    package var isFinite: Bool { sumOfSquares.isFinite }
    /// The largest |element|; NaN is passed over, infinity is not.
    package var maximumMagnitude: Float { atelier_max_abs(pointer, count) }

    /// self += scale · other.
    package func accumulate(_ other: Tensor, scale: Float = 1) {
        precondition(other.count == count, "\(other.shape) is not added to \(shape)")
        let target = pointer
        let source = other.pointer
        parallel(count, grain: 1 << 15) {
            atelier_accumulate(target + $0.lowerBound, source + $0.lowerBound, scale, $0.count)
        }
    }

    /// self + other, in memory of its own.
    package func adding(_ other: Tensor) -> Tensor {
        precondition(other.count == count, "\(other.shape) is not added to \(shape)")
        let result = Tensor(uninitialized: shape)
        let (target, a, b) = (result.pointer, pointer, other.pointer)
        parallel(count, grain: 1 << 15) {
            atelier_add(target + $0.lowerBound, a + $0.lowerBound, b + $0.lowerBound, $0.count)
        }
        return result
    }
}
