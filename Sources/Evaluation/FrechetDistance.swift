import Backbones
import Images
import Tensors

/// The normal distribution nearest to pictures' features: their mean and covariance.
package struct FeatureDistribution: Sendable {
    /// Whose features they are.
    package let encoder: String
    /// [D].
    let mean: [Double]
    /// [D, D], divided by N − 1.
    let covariance: SymmetricMatrix

    /// - Parameters:
    ///   - features: [N, D] as an encoder gives them, not normalized.
    ///   - encoder: its name; distances exist only within one encoder's features.
    /// - Precondition: two rows or more.
    package init(_ features: Tensor, encoder: String) {
        precondition(features.shape.count == 2 && features.shape[0] > 1, "features of shape \(features.shape)")
        let (count, width) = (features.shape[0], features.width)
        let rows = features.values
        let mean = (0..<width).map { column in
            (0..<count).reduce(0.0) { $0 + Double(rows[$1 * width + column]) } / Double(count)
        }
        var sums = [Double](repeating: 0, count: width * width)
        sums.withUnsafeMutableBufferPointer { sums in
            for row in 0..<count {
                let centred = (0..<width).map { Double(rows[row * width + $0]) - mean[$0] }
                centred.withUnsafeBufferPointer { centred in
                    for i in 0..<width {
                        for j in i..<width { sums[i * width + j] += centred[i] * centred[j] }
                    }
                }
            }
        }
        let covariance = (0..<width * width).map { index in
            let (i, j) = (index / width, index % width)
            return sums[min(i, j) * width + max(i, j)] / Double(count - 1)
        }
        self.encoder = encoder
        self.mean = mean
        self.covariance = SymmetricMatrix(order: width, values: covariance)
    }

    /// - Precondition: two pictures or more.
    package init(of pictures: [Picture], by encoder: some ImageEncoder) {
        self.init(encoder.embeddings(of: pictures), encoder: encoder.name)
    }

    /// The Fréchet distance to another distribution, |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½): the formula of FID (Heusel
    /// et al., arXiv 1706.08500, equation 6), here in whatever encoder's features; zero between equal distributions.
    ///
    /// (Σ₁ Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric, so that no complex root arises.
    /// - Precondition: both are of one encoder's features.
    package func frechetDistance(to other: FeatureDistribution) -> Double {
        precondition(encoder == other.encoder, "features of \(encoder) and of \(other.encoder) have no distance")
        let shift = zip(mean, other.mean).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let shared = covariance.squareRoot.sandwiching(other.covariance).eigenvalues
        let overlap = shared.reduce(0.0) { $0 + max($1, 0).squareRoot() }
        return max(shift + covariance.trace + other.covariance.trace - 2 * overlap, 0)
    }
}
