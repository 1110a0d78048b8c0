import CKernels

/// Weights [O, I] that stay as a file holds them, in bfloat16 or in eight bits: mapped rather than read, and widened
/// only while they are multiplied with. Half or a quarter of the memory of floats, and as many fewer bytes to read for
/// each token.
package struct MappedMatrix {
    /// O.
    package let rows: Int
    /// I.
    package let columns: Int
    private let numbers: Numbers
    /// Keeps the memory.
    private let owner: Any

    /// [O, I], row-major.
    private enum Numbers {
        case bfloat16(UnsafePointer<UInt16>)
        /// Each row times its scale [O].
        case int8(UnsafePointer<Int8>, scales: Tensor)
    }

    /// - Parameters:
    ///   - bytes: [rows, columns] bfloat16 numbers in this machine's byte order; not copied.
    ///   - owner: what keeps them valid.
    /// - Returns: nil where the bytes do not lie at an even address.
    package init?(bfloat16 bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, owner: Any) {
        precondition(bytes.count == 2 * rows * columns, "\(bytes.count) bytes are no \(rows) × \(columns) halves")
        guard let start = bytes.baseAddress, Int(bitPattern: start) % 2 == 0 else { return nil }
        (self.rows, self.columns, self.owner) = (rows, columns, owner)
        numbers = .bfloat16(start.assumingMemoryBound(to: UInt16.self))
    }

    /// - Parameters:
    ///   - bytes: [rows, columns] numbers from −127 to 127; not copied.
    ///   - scales: what each row is multiplied by [rows].
    ///   - owner: what keeps the bytes valid.
    package init(int8 bytes: UnsafeRawBufferPointer, scales: Tensor, columns: Int, owner: Any) {
        rows = scales.count
        precondition(bytes.count == rows * columns, "\(bytes.count) bytes are no \(rows) × \(columns)")
        (self.columns, self.owner) = (columns, owner)
        numbers = .int8(bytes.baseAddress!.assumingMemoryBound(to: Int8.self), scales: scales)
    }

    /// The numbers [O, I] as floats: the same ones, in memory of their own.
    package var widened: Tensor {
        let result = Tensor(uninitialized: [rows, columns])
        widen(0..<rows, into: result)
        return result
    }

    /// Some rows as floats [R, I], by their numbers, each below O.
    package func widened(rows indices: [Int32]) -> Tensor {
        let result = Tensor(uninitialized: [indices.count, columns])
        for (place, index) in indices.enumerated() {
            precondition(index >= 0 && Int(index) < rows, "row \(index) of \(rows)")
            widen(Int(index)..<Int(index) + 1, into: result.slice(place..<place + 1))
        }
        return result
    }

    /// Whether every number is finite; reads all of them where that is not known otherwise.
    package var isFinite: Bool {
        switch numbers {
        case .int8(_, let scales): return scales.isFinite
        case .bfloat16(let words):
            let faults = Tensor(zeros: [rows])
            parallel(rows, grain: 64) { range in
                for row in range where !atelier_is_finite_bfloat16(words + row * columns, columns) {
                    faults.pointer[row] = 1
                }
            }
            return faults.maximumMagnitude == 0
        }
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
            let row = range.lowerBound + part.lowerBound
            let start = target.pointer + part.lowerBound * columns
            switch numbers {
            case .bfloat16(let words): atelier_widen_bfloat16(start, words + row * columns, part.count * columns)
            case .int8(let bytes, let scales):
                atelier_widen_int8(start, bytes + row * columns, scales.pointer + row, part.count, columns)
            }
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

/// So many rows of x or fewer are multiplied with mapped weights as they pass, for each is read once; the kernels take
/// no more.
package let mostMappedRows = Int(atelier_most_mapped_rows)

/// y[m, O] = x[m, I] · wᵀ (+ bias[O]); both of x's and y's rows lie one after the other. Many rows are rounded where
/// the task's products are.
package func project(
    _ x: UnsafeMutablePointer<Float>, by w: MappedMatrix, into y: UnsafeMutablePointer<Float>, m: Int,
    bias: UnsafePointer<Float>? = nil
) {
    guard m > 0 else { return }
    if m <= mostMappedRows { return w.projectFew(x, into: y, m: m, bias: bias) }
    if let halves = w.factor(n: w.rows, k: w.columns) {
        return multiply(x, halves, stride: w.columns, transposed: true, into: y, m, n: w.rows, k: w.columns, bias)
    }
    w.widening { range, block in
        multiply(
            Matrix(x, stride: w.columns), Matrix(block.pointer, stride: w.columns, transposed: true),
            into: Matrix(y + range.lowerBound, stride: w.rows), m: m, n: range.count, k: w.columns,
            bias: bias.map { $0 + range.lowerBound })
    }
}

extension MappedMatrix {
    /// The numbers as they lie, where products [m, n] over k are computed with them so.
    fileprivate func factor(n: Int, k: Int) -> UnsafePointer<UInt16>? {
        guard case .bfloat16(let words) = numbers, MatrixPrecision.isRounding, isWorthRounding(n, k) else { return nil }
        return words
    }

    /// y[m, O] = x[m, I] · wᵀ (+ bias[O]) for `mostMappedRows` or fewer.
    fileprivate func projectFew(
        _ x: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>, m: Int, bias: UnsafePointer<Float>?
    ) {
        let grain = max(8, (1 << 15) / max(columns, 1))
        switch numbers {
        case .bfloat16(let words):
            let dealt = Tensor(uninitialized: [m, (columns + 31) / 32 * 32])
            atelier_deal_floats(dealt.pointer, x, columns, m, columns)
            parallel(rows, grain: grain) {
                atelier_project_bfloat16(
                    y, rows, dealt.pointer, words, bias, m, columns, $0.lowerBound, $0.upperBound)
            }
        case .int8(let bytes, let scales):
            parallel(rows, grain: grain) {
                atelier_project_int8(
                    y, rows, x, bytes, scales.pointer, bias, m, columns, $0.lowerBound, $0.upperBound)
            }
        }
    }
}

/// x[m, I] = y[m, O] · w: the way back of a projection.
package func unproject(
    _ y: UnsafeMutablePointer<Float>, by w: MappedMatrix, into x: UnsafeMutablePointer<Float>, m: Int
) {
    if let halves = w.factor(n: w.columns, k: w.rows) {
        return multiply(y, halves, stride: w.columns, transposed: false, into: x, m, n: w.columns, k: w.rows)
    }
    w.widening { range, block in
        multiply(
            Matrix(y + range.lowerBound, stride: w.rows), block, into: Matrix(x, stride: w.columns), m: m,
            n: w.columns, k: range.count, beta: range.lowerBound == 0 ? 0 : 1)
    }
}

/// c[m, n] = a[m, k] · b[k, n] (+ bias[n]) with b in bfloat16 as it lies and a rounded; a's and c's rows lie one after
/// the other.
private func multiply(
    _ a: UnsafeMutablePointer<Float>, _ b: UnsafePointer<UInt16>, stride: Int, transposed: Bool,
    into c: UnsafeMutablePointer<Float>, _ m: Int, n: Int, k: Int, _ bias: UnsafePointer<Float>? = nil
) {
    // Packing b is work of its own where rows are few: no thread packs what another has.
    parallel(n, grain: m * n * k > leastSplit ? 32 : n) { range in
        let column = range.lowerBound
        atelier_multiply_halves(
            a, k, b + (transposed ? column * stride : column), stride, transposed, c + column, n, m, range.count, k,
            bias.map { $0 + column })
    }
}
