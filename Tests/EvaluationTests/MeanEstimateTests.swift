import ComputeTesting
import Testing

@testable import Evaluation

@Suite(.computing) struct MeanEstimateTests {
    @Test func threeValuesHaveAWideInterval() {
        let estimate = MeanEstimate([1, 2, 3])
        #expect(estimate.mean == 2 && estimate.count == 3)
        #expect(abs(estimate.halfWidth! - 4.303 / 3.0.squareRoot()) < 1e-9)
    }

    @Test func oneValueHasNone() { #expect(MeanEstimate([0.7]).mean == 0.7 && MeanEstimate([0.7]).halfWidth == nil) }

    @Test func equalValuesHaveNoWidth() { #expect(MeanEstimate([0.5, 0.5, 0.5, 0.5]).halfWidth == 0) }

    /// Published percentage points of Student's distribution.
    @Test(arguments: [
        (1, 12.706), (5, 2.571), (30, 2.042), (31, 2.0395), (40, 2.0211), (60, 2.0003), (120, 1.9799),
        (100_000, 1.9600),
    ])
    func theQuantileIsStudents(degrees: Int, expected: Double) {
        #expect(abs(MeanEstimate.quantile(degrees: degrees) - expected) < 1e-4)
    }
}
