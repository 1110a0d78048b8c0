import Tensors

/// Tells classes by the means of their features under one covariance (Fisher's linear discriminant): the likeliest
/// class where all are normally distributed alike, and none is more frequent than another.
package struct LinearDiscriminant: Sendable {
    /// The share taken from the covariance beside its diagonal, of which few rows make too much.
    private static let shrinkage = 0.1
    /// Of every class the weights [D] and the constant of its score.
    private let scores: [(weights: [Double], constant: Double)]

    /// - Parameters:
    ///   - features: [N, D].
    ///   - labels: N numbers of classes from 0 on.
    /// - Precondition: every class up to the last has a row, and there are more rows than classes.
    package init(_ features: Tensor, labels: [Int]) {
        precondition(
            features.shape.count == 2 && features.shape[0] == labels.count,
            "\(labels.count) labels of features of shape \(features.shape)")
        let width = features.width
        let means = LinearDiscriminant.means(features, labels)
        let centred = features.copy()
        for (row, label) in labels.enumerated() {
            for column in 0..<width { centred.pointer[row * width + column] -= Float(means[label][column]) }
        }
        let covariance = FeatureDistribution(centred, encoder: "").covariance
        let inverse = LinearDiscriminant.shrunk(covariance).inverse.values
        scores = means.map { mean in
            let weights = (0..<width).map { dot(Array(inverse[$0 * width..<($0 + 1) * width]), mean) }
            return (weights: weights, constant: -dot(weights, mean) / 2)
        }
    }

    /// The likeliest class of every row of [N, D].
    package func classes(_ features: Tensor) -> [Int] {
        let width = features.width
        return (0..<features.shape[0]).map { row in
            let values = (0..<width).map { Double(features.pointer[row * width + $0]) }
            let likelihoods = scores.map { $0.constant + dot($0.weights, values) }
            return likelihoods.indices.max { likelihoods[$0] < likelihoods[$1] }!
        }
    }

    /// Every class's mean [D].
    private static func means(_ features: Tensor, _ labels: [Int]) -> [[Double]] {
        let width = features.width
        var sums = Array(repeating: [Double](repeating: 0, count: width), count: (labels.max() ?? -1) + 1)
        for (row, label) in labels.enumerated() {
            for column in 0..<width { sums[label][column] += Double(features.pointer[row * width + column]) }
        }
        return sums.enumerated().map { label, sum in
            let count = labels.count { $0 == label }
            precondition(count > 0, "class \(label) has no features")
            return sum.map { $0 / Double(count) }
        }
    }

    private static func shrunk(_ covariance: SymmetricMatrix) -> SymmetricMatrix {
        let order = covariance.order
        // A feature that never varies within a class says nothing, and cannot be divided by.
        let least = 1e-6 * covariance.trace / Double(order) + 1e-12
        let values = covariance.values.enumerated().map { index, value in
            index % (order + 1) == 0 ? value + least : (1 - shrinkage) * value
        }
        return SymmetricMatrix(order: order, values: values)
    }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0.0) { $0 + $1.0 * $1.1 } }
