import CKernels
import COpenBLAS

/// A matrix in memory: row-major, rows `stride` floats apart, read transposed when asked.
package struct Matrix {
    /// The first element.
    package let pointer: UnsafeMutablePointer<Float>
    /// Floats from one row in memory to the next.
    package let stride: Int
    /// Whether rows in memory are read as columns.
    package let transposed: Bool

    /// A view: the memory must outlive it.
    @inlinable package init(_ pointer: UnsafeMutablePointer<Float>, stride: Int, transposed: Bool = false) {
        self.pointer = pointer
        self.stride = stride
        self.transposed = transposed
    }

    /// The matrix whose row `index` (of the matrix as read) is row 0 here.
    @usableFromInline func fromRow(_ index: Int) -> Matrix {
        Matrix(pointer + (transposed ? index : index * stride), stride: stride, transposed: transposed)
    }

    /// The matrix whose column `index` (of the matrix as read) is column 0 here.
    @usableFromInline func fromColumn(_ index: Int) -> Matrix {
        Matrix(pointer + (transposed ? index * stride : index), stride: stride, transposed: transposed)
    }
}

/// How matrix products are computed.
package enum MatrixPrecision: Sendable {
    /// Operands and sums in single precision.
    case single
    /// Operands rounded to bfloat16, sums in single precision; single precision where the processor cannot.
    case bfloat16

    /// For large products of the current task; whatever learns sets it, and what draws with weights that are held so.
    @TaskLocal package static var current = MatrixPrecision.single

    static let processorHasBFloat16 = atelier_has_bfloat16()
    /// Whether kernels of the current task may round to bfloat16.
    package static var isRounding: Bool { current == .bfloat16 && processorHasBFloat16 }
}

/// c[m, n] = alpha · a[m, k] · b[k, n] + beta · c, on the calling thread alone. For use inside `parallel`, where the
/// precision must be given, since the crew's threads do not see the task's.
package func multiplySerially(
    _ a: Matrix, _ b: Matrix, into c: Matrix, m: Int, n: Int, k: Int, alpha: Float = 1, beta: Float = 0,
    precision: MatrixPrecision = .single
) {
    multiplySerially(
        a, b, into: c, m: m, n: n, k: k, alpha: alpha, beta: beta, isRounded: isRounded(m, n, k, alpha, precision))
}

/// Whether a product of this size is computed in bfloat16: decided by the whole of it, for parts depend on how many
/// threads there are.
private func isRounded(_ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ precision: MatrixPrecision) -> Bool {
    precision == .bfloat16 && alpha == 1 && m >= 12 && isWorthRounding(n, k) && MatrixPrecision.processorHasBFloat16
}

/// Whether a factor [k, n] is large enough to be packed in bfloat16.
func isWorthRounding(_ n: Int, _ k: Int) -> Bool { n >= 32 && k >= 16 }

/// Whether a product of few rows with weights [n, k] takes longer to pack these than to read them as they lie. OpenBLAS
/// packs nothing of small ones, either.
private func isBestUnpacked(_ m: Int, _ n: Int, _ k: Int) -> Bool { m <= mostUnpackedRows && n >= 32 && k >= 64 }

/// So many rows or fewer are multiplied with weights in floats as they lie; this processor's.
package let mostUnpackedRows = atelier_few_rows()

private func multiplySerially(
    _ a: Matrix, _ b: Matrix, into c: Matrix, m: Int, n: Int, k: Int, alpha: Float, beta: Float,
    bias: UnsafePointer<Float>? = nil, isRounded: Bool
) {
    guard m > 0, n > 0 else { return }
    if isRounded {
        atelier_multiply_bfloat16(
            a.pointer, a.stride, a.transposed, b.pointer, b.stride, b.transposed, c.pointer, c.stride, m, n, k, bias,
            beta, m)
        return
    }
    if let bias { for row in 0..<m { (c.pointer + row * c.stride).update(from: bias, count: n) } }
    cblas_sgemm(
        CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
        blasint(m), blasint(n), blasint(k), alpha, a.pointer, blasint(max(a.stride, 1)), b.pointer,
        blasint(max(b.stride, 1)), bias == nil ? beta : 1,
        c.pointer, blasint(max(c.stride, 1)))
}

/// c[m, n] = alpha · a[m, k] · b[k, n] + bias[n], or + beta · c where there is no bias.
///
/// OpenBLAS runs with one thread (its own pool would spin beside ours); the larger side of the result is split over our
/// threads.
package func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, m: Int, n: Int, k: Int, alpha: Float = 1, beta: Float = 0,
    bias: UnsafePointer<Float>? = nil
) {
    let isRounded = isRounded(m, n, k, alpha, MatrixPrecision.current)
    let beta = bias == nil ? beta : 0
    if !isRounded, alpha == 1, beta == 0, !a.transposed, b.transposed, isBestUnpacked(m, n, k) {
        parallel(n, grain: m * n * k > leastSplit ? 32 : n) {
            atelier_project_floats(
                c.pointer, c.stride, a.pointer, a.stride, b.pointer, b.stride, bias, m, k, $0.lowerBound, $0.upperBound)
        }
        return
    }
    if n >= m {
        split(n, step: 32, each: m * k, isRounded: isRounded) { range in
            multiplySerially(
                a, b.fromColumn(range.lowerBound), into: c.fromColumn(range.lowerBound), m: m, n: range.count, k: k,
                alpha: alpha, beta: beta, bias: bias.map { $0 + range.lowerBound }, isRounded: isRounded)
        }
    } else {
        split(m, step: 12, each: n * k, isRounded: isRounded) { range in
            multiplySerially(
                a.fromRow(range.lowerBound), b, into: c.fromRow(range.lowerBound), m: range.count, n: n, k: k,
                alpha: alpha, beta: beta, bias: bias, isRounded: isRounded)
        }
    }
}

/// Multiplications from which a product is worth splitting over threads.
let leastSplit = 1 << 16

/// Multiplications up to which OpenBLAS adds up in another order than beyond.
private let mostOfSmallProduct = 1_000_000

/// Splits rows or columns over the threads, in multiples of `step`; each takes `each` multiplications.
///
/// A result must not depend on how many threads there are. OpenBLAS's kernels for AVX-512 give a number the same bits
/// whatever is computed beside it (those for AVX2 where rows are split), but for small products: no part of a large one
/// is small here, and no small one is split.
private func split(_ count: Int, step: Int, each: Int, isRounded: Bool, _ body: (Range<Int>) -> Void) {
    if isRounded { return parallel(count, grain: count * each > leastSplit ? step : count, body) }
    let least = (mostOfSmallProduct / max(each * step, 1) + 1) * step
    let shares = max(1, min(threadCount, count / least))
    func start(_ share: Int) -> Int { share == shares ? count : count * share / shares / step * step }
    parallel(shares, grain: 1) { for share in $0 { body(start(share)..<start(share + 1)) } }
}

/// c[m, m] = a[m, k] · b[k, m] where that is symmetric, such as a matrix times itself turned: what lies below the
/// diagonal is copied from above it. The numbers are those of `multiply`.
package func multiplySymmetric(_ a: Matrix, _ b: Matrix, into c: Matrix, m: Int, k: Int) {
    guard isRounded(m, m, k, 1, MatrixPrecision.current) else { return multiply(a, b, into: c, m: m, n: m, k: k) }
    parallel(m, grain: 32) {
        let (columns, target) = (b.fromColumn($0.lowerBound), c.fromColumn($0.lowerBound))
        atelier_multiply_bfloat16(
            a.pointer, a.stride, a.transposed, columns.pointer, b.stride, b.transposed, target.pointer, c.stride, m,
            $0.count, k, nil, 0, $0.lowerBound)
    }
    parallel(m, grain: 16) { atelier_mirror(c.pointer, c.stride, $0.lowerBound, $0.upperBound) }
}
