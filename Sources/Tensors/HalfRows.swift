import CKernels

/// Rows [rows, width] of numbers that are kept in bfloat16, and read a few columns at a time: half of a tensor's
/// memory.
package final class HalfRows {
    /// Of [rows, width].
    package let rows, width: Int
    private let words: UnsafeMutablePointer<UInt16>

    /// Numbers undefined until stored.
    package init(uninitialized rows: Int, width: Int) {
        (self.rows, self.width) = (rows, width)
        words = .allocate(capacity: max(rows * width, 1))
    }

    deinit { words.deallocate() }

    /// Keeps `count` rows of floats from row `first` on, each number as the nearest that bfloat16 has.
    package func store(_ numbers: UnsafePointer<Float>, from first: Int, count: Int) {
        precondition(first >= 0 && first + count <= rows, "rows \(first)..<\(first + count) of \(rows)")
        atelier_round_bfloat16(words + first * width, numbers, count * width)
    }

    /// Keeps some rows from row `first` on too.
    package func copy(_ rows: Range<Int>, to first: Int) {
        precondition(
            rows.upperBound <= self.rows && first >= 0 && first + rows.count <= self.rows, "\(rows) at \(first)")
        (words + first * width).update(from: words + rows.lowerBound * width, count: rows.count * width)
    }

    /// Some columns of some rows as floats [rows, columns], at the start of `target`.
    package func widen(_ rows: Range<Int>, columns: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        precondition(rows.upperBound <= self.rows && columns.upperBound <= width, "\(rows) × \(columns)")
        for (place, row) in rows.enumerated() {
            atelier_widen_bfloat16(
                target + place * columns.count, words + row * width + columns.lowerBound, columns.count)
        }
    }
}
