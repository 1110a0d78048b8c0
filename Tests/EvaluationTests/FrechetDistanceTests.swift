import ComputeTesting
import Evaluation
import Randomness
import Tensors
import Testing

@Suite(.computing) struct FrechetDistanceTests {
    /// Rows whose sample mean and covariance are exactly `mean` and diagonal `variances`: two rows an axis, this far to
    /// both sides of the mean.
    private func distribution(mean: [Float], variances: [Float]) -> FeatureDistribution {
        let width = mean.count
        let count = 2 * width
        let rows = (0..<count).flatMap { row in
            (0..<width).map { column -> Float in
                let spread = (variances[column] * Float(count - 1) / 2).squareRoot()
                return mean[column] + (row / 2 == column ? (row % 2 == 0 ? spread : -spread) : 0)
            }
        }
        return FeatureDistribution(Tensor(rows, shape: [count, width]), encoder: "handmade")
    }

    @Test func equalDistributionsHaveNoDistance() {
        let one = distribution(mean: [1, 2, 3], variances: [1, 4, 0.25])
        #expect(one.frechetDistance(to: one) < 1e-5)
    }

    /// For diagonal covariances the distance is |μ₁ − μ₂|² + Σ (σ₁ − σ₂)².
    @Test func gaussiansOfKnownDistance() {
        let one = distribution(mean: [0, 0], variances: [1, 4])
        let other = distribution(mean: [3, 4], variances: [9, 4])
        #expect(abs(one.frechetDistance(to: other) - (25 + 4)) < 1e-4)
        #expect(abs(other.frechetDistance(to: one) - (25 + 4)) < 1e-4)
    }

    /// A turned covariance: Σ₁ = diag(1, 9), Σ₂ = [[5, 4], [4, 5]] has the same eigenvalues along other axes, and
    /// Σ₁^½ Σ₂ Σ₁^½ = [[5, 12], [12, 45]] has trace 50 and determinant 81, so its root has trace √(50 + 2·9).
    @Test func covariancesThatDoNotCommute() {
        let one = distribution(mean: [0, 0], variances: [1, 9])
        let half = Float(0.5).squareRoot()
        let turned = [(3.0, 1.0), (-3, -1), (3, -1), (-3, 1)].flatMap { long, short -> [Float] in
            let (a, b) = (Float(long), Float(short))
            return [half * (a - b), half * (a + b)].map { $0 * Float(0.75).squareRoot() }
        }
        let other = FeatureDistribution(Tensor(turned, shape: [4, 2]), encoder: "handmade")
        let expected = 10 + 10 - 2 * Double(68).squareRoot()
        #expect(abs(one.frechetDistance(to: other) - expected) < 1e-4)
    }

    /// As many draws as wanted of two normal distributions are as far apart as their formulas say.
    @Test func samplesOfGaussiansComeNear() {
        func samples(_ seed: UInt64, shift: Float, scale: Float) -> FeatureDistribution {
            var generator = Philox(seed: seed, purpose: 1, index: 0)
            let values = (0..<20_000 * 3).map { _ in shift + scale * generator.normal() }
            return FeatureDistribution(Tensor(values, shape: [20_000, 3]), encoder: "drawn")
        }
        let distance = samples(1, shift: 0, scale: 1).frechetDistance(to: samples(2, shift: 1, scale: 2))
        #expect(abs(distance - 6) < 0.2)
    }
}
