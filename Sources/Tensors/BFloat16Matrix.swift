import CKernels

/// Weights [O, I] that stay in bfloat16, as a file holds them: mapped rather than read, and widened only while they are
/// multiplied with. Half the memory of floats, and half the bytes to read for each token.
package struct BFloat16Matrix {
    /// O.
    package let rows: Int
    /// I.
    package let columns: Int
    /// [O, I], row-major.
    let words: UnsafePointer<UInt16>
    /// Keeps the memory.
    private let owner: Any

    /// - Parameters:
    ///   - bytes: [rows, columns] bfloat16 numbers in this machine's byte order; not copied.
    ///   - owner: what keeps them valid.
    /// - Returns: nil where the bytes do not lie at an even address.
    package init?(bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, owner: Any) {
        precondition(bytes.count == 2 * rows * columns, "\(bytes.count) bytes are no \(rows) × \(columns) halves")
        guard let start = bytes.baseAddress, Int(bitPattern: start) % 2 == 0 else { return nil }
        (self.rows, self.columns, self.owner) = (rows, columns, owner)
        words = start.assumingMemoryBound(to: UInt16.self)
    }

    /// The numbers [O, I] as floats: exactly the same ones, in memory of their own.
    package var widened: Tensor {
        let result = Tensor(uninitialized: [rows, columns])
        widen(0..<rows, into: result)
        return result
    }

    /// Whether every number is finite; reads all of them.
    package var isFinite: Bool {
        let faults = Tensor(zeros: [rows])
        parallel(rows, grain: 64) { range in
            for row in range where !atelier_is_finite_bfloat16(words + row * columns, columns) {
                faults.pointer[row] = 1
            }
        }
        return faults.maximumMagnitude == 0
    }

    /// Σ of the squares of all numbers.
    package var sumOfSquares: Double {
        var sum = 0.0
        widening { range, block in sum += atelier_sum_of_squares(block.pointer, range.count * columns) }
        return sum
    }

    /// Some rows as floats, at the start of `target`.
    fileprivate func widen(_ range: Range<Int>, into target: Tensor) {
        parallel(range.count, grain: 16) { part in
            atelier_widen_bfloat16(
                target.pointer + part.lowerBound * columns, words + (range.lowerBound + part.lowerBound) * columns,
                part.count * columns)
        }
    }

    /// Some rows after the other, each time as many as stay in the cache while they are floats.
    fileprivate func widening(_ body: (Range<Int>, Matrix) -> Void) {
        let block = min(rows, max(32, (1 << 19) / max(columns, 1) / 32 * 32))
        let scratch = Tensor(uninitialized: [block, columns])
        for start in stride(from: 0, to: rows, by: block) {
            let range = start..<min(start + block, rows)
            widen(range, into: scratch)
            body(range, Matrix(scratch.pointer, stride: columns))
        }
    }
}

/// As many rows of x or fewer are multiplied with the weights as they pass, for each is read once.
package let fewRows = 8

/// y[m, O] = x[m, I] · wᵀ (+ bias[O]); both of x's and y's rows lie one after the other.
package func project(
    _ x: UnsafeMutablePointer<Float>, by w: BFloat16Matrix, into y: UnsafeMutablePointer<Float>, m: Int,
    bias: UnsafePointer<Float>? = nil
) {
    guard m > 0 else { return }
    if m <= fewRows { return projectFew(x, by: w, into: y, m: m, bias: bias) }
    w.widening { range, block in
        multiply(
            Matrix(x, stride: w.columns), Matrix(block.pointer, stride: w.columns, transposed: true),
            into: Matrix(y + range.lowerBound, stride: w.rows), m: m, n: range.count, k: w.columns,
            bias: bias.map { $0 + range.lowerBound })
    }
}

private func projectFew(
    _ x: UnsafeMutablePointer<Float>, by w: BFloat16Matrix, into y: UnsafeMutablePointer<Float>, m: Int,
    bias: UnsafePointer<Float>?
) {
    let dealt = Tensor(uninitialized: [m, (w.columns + 31) / 32 * 32])
    atelier_deal_floats(dealt.pointer, x, w.columns, m, w.columns)
    parallel(w.rows, grain: max(8, (1 << 15) / max(w.columns, 1))) {
        atelier_project_bfloat16(
            y, w.rows, dealt.pointer, w.words, bias, m, w.columns, $0.lowerBound, $0.upperBound)
    }
}

/// x[m, I] = y[m, O] · w: the way back of a projection.
package func unproject(
    _ y: UnsafeMutablePointer<Float>, by w: BFloat16Matrix, into x: UnsafeMutablePointer<Float>, m: Int
) {
    w.widening { range, block in
        multiply(
            Matrix(y + range.lowerBound, stride: w.rows), block, into: Matrix(x, stride: w.columns), m: m,
            n: w.columns, k: range.count, beta: range.lowerBound == 0 ? 0 : 1)
    }
}
