import COpenBLAS

/// A symmetric matrix [D, D] in double precision, for statistics whose square roots single precision would lose.
package struct SymmetricMatrix: Sendable {
    /// D.
    package let order: Int
    /// [D, D]; by symmetry rows first is columns first.
    package let values: [Double]

    /// - Parameter values: [D, D], symmetric: only one triangle is read.
    package init(order: Int, values: [Double]) {
        precondition(values.count == order * order, "\(values.count) values are no \(order) × \(order)")
        (self.order, self.values) = (order, values)
    }

    /// The sum of the diagonal.
    package var trace: Double { (0..<order).reduce(0) { $0 + values[$1 * order + $1] } }

    /// [D], ascending.
    package var eigenvalues: [Double] { decomposed(withVectors: false).eigenvalues }

    /// The square root [D, D] whose eigenvalues are the roots of this one's; what rounding made negative is zero.
    package var squareRoot: SymmetricMatrix { withEigenvalues { max($0, 0).squareRoot() } }

    /// The inverse [D, D].
    /// - Precondition: all eigenvalues are positive.
    package var inverse: SymmetricMatrix { withEigenvalues { 1 / $0 } }

    /// The matrix [D, D] of the same eigenvectors, whose eigenvalues are a function of this one's that is never
    /// negative.
    private func withEigenvalues(_ function: (Double) -> Double) -> SymmetricMatrix {
        let (eigenvalues, vectors) = decomposed(withVectors: true)
        // Vᵀ scaled by the roots S of the new ones gives (V·S)(V·S)ᵀ; the rows of `vectors` are the eigenvectors.
        var scaled = vectors
        for row in 0..<order {
            let scale = function(eigenvalues[row]).squareRoot()
            for column in 0..<order { scaled[row * order + column] *= scale }
        }
        return SymmetricMatrix(order: order, values: product(scaled, transposed: true, scaled))
    }

    /// self · other · self, [D, D].
    package func sandwiching(_ other: SymmetricMatrix) -> SymmetricMatrix {
        precondition(order == other.order, "matrices of \(order) and \(other.order) rows")
        let right = product(other.values, transposed: false, values)
        return SymmetricMatrix(order: order, values: product(values, transposed: false, right))
    }

    /// a · b, or aᵀ · b, both [D, D].
    private func product(_ a: [Double], transposed: Bool, _ b: [Double]) -> [Double] {
        let side = Int32(order)
        var result = [Double](repeating: 0, count: order * order)
        cblas_dgemm(
            CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, side, side, side, 1, a, side, b, side,
            0, &result, side)
        return result
    }

    /// - Returns: the eigenvalues [D], ascending, and in rows [D, D] their eigenvectors (undefined without).
    private func decomposed(withVectors: Bool) -> (eigenvalues: [Double], vectors: [Double]) {
        var side = Int32(order)
        var vectors = values
        var eigenvalues = [Double](repeating: 0, count: order)
        // (NB + 2)·D: what dsyev works fastest with, at LAPACK's blocks of NB = 32 columns.
        var workSize = Int32(max(1, order * 34))
        var work = [Double](repeating: 0, count: Int(workSize))
        var info: Int32 = 0
        dsyev_(withVectors ? "V" : "N", "U", &side, &vectors, &side, &eigenvalues, &work, &workSize, &info)
        precondition(info == 0, "LAPACK's dsyev ended with \(info): the matrix is not finite")
        return (eigenvalues, vectors)
    }
}
