import ComputeTesting
import Tensors
import Testing

@Suite(.computing) struct SymmetricMatrixTests {
    /// Of eigenvalues 1 and 9, on the diagonals of the plane.
    private let matrix = SymmetricMatrix(order: 2, values: [5, 4, 4, 5])

    @Test func eigenvaluesAscend() {
        let values = matrix.eigenvalues
        #expect(abs(values[0] - 1) < 1e-12 && abs(values[1] - 9) < 1e-12)
    }

    @Test func theSquareRootTimesItselfIsTheMatrix() {
        let root = matrix.squareRoot
        for (value, expected) in zip(root.values, [2.0, 1, 1, 2]) { #expect(abs(value - expected) < 1e-12) }
        let identity = SymmetricMatrix(order: 2, values: [1, 0, 0, 1])
        for (value, expected) in zip(root.sandwiching(identity).values, matrix.values) {
            #expect(abs(value - expected) < 1e-12)
        }
    }

    @Test func theInverseUndoesTheMatrix() {
        for (value, expected) in zip(matrix.inverse.values, [5.0, -4, -4, 5]) {
            #expect(abs(value - expected / 9) < 1e-12)
        }
    }

    @Test func whatRoundingMadeNegativeIsZeroInTheRoot() {
        let root = SymmetricMatrix(order: 2, values: [4, 0, 0, -1e-18]).squareRoot
        for (value, expected) in zip(root.values, [2.0, 0, 0, 0]) { #expect(abs(value - expected) < 1e-12) }
    }
}
