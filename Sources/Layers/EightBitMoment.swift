import CKernels
import Tensors

/// A moment of an optimizer at a byte a number (Dettmers et al., arXiv 2110.02861): blocks of 256 numbers are scaled by
/// their largest, and each is the nearest of 256 numbers spread over seven powers of ten, dense where they are large.
package final class EightBitMoment {
    /// Numbers that share a scale.
    package static let block = Int(atelier_codes_block)
    /// Bytes of a number, its share of the scale among them.
    package static let bytes = 1 + 4 / Double(block)
    /// [count].
    package let codes: ByteTensor
    /// The largest magnitude of every block, [⌈count / block⌉].
    package let scales: Tensor
    /// Whether numbers may be negative, as second moments cannot.
    private let isSigned: Bool

    /// Zeros.
    package init(count: Int, isSigned: Bool) {
        codes = ByteTensor(zeros: [count])
        scales = Tensor(zeros: [(count + EightBitMoment.block - 1) / EightBitMoment.block])
        self.isSigned = isSigned
    }

    /// What the codes stand for, [count]; setting it keeps the nearest.
    package var values: Tensor {
        get {
            let result = Tensor(uninitialized: [codes.count])
            atelier_read_codes(result.pointer, codes.pointer, scales.pointer, isSigned, codes.count)
            return result
        }
        set {
            precondition(newValue.count == codes.count, "\(newValue.count) numbers for \(codes.count) codes")
            atelier_write_codes(codes.pointer, scales.pointer, newValue.pointer, isSigned, codes.count)
        }
    }

    /// From a number that begins a block on.
    func moment(from start: Int) -> atelier_moment {
        atelier_moment(codes: codes.pointer + start, scales: scales.pointer + start / EightBitMoment.block)
    }
}
