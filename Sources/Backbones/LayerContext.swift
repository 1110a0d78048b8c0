import Autograd
import Tensors

/// One learned vector for each of the first layers, standing at one position of every sequence (CoAR, arXiv
/// 2508.07341): at the input of layer l < N the state there is overwritten by vector l; from layer N on, what stands
/// there flows on.
package struct LayerContext {
    /// [N, C].
    package let vectors: Variable
    /// The position in each sample of the batch, or in each of `samples`.
    package let positions: [Int]
    /// The samples that have it, where not all do.
    package let samples: [Int]?

    /// - Parameters:
    ///   - vectors: [N, C], for the first N layers.
    ///   - positions: one for every sample, or for each of `samples`.
    package init(_ vectors: Variable, positions: [Int], samples: [Int]? = nil) {
        self.vectors = vectors
        self.positions = positions
        self.samples = samples
    }

    /// N: from this layer on the vectors' place is an ordinary token's.
    package var layers: Int { vectors.shape[0] }

    /// The context of one sequence, at the same position of some samples of a batch.
    package func repeated(in samples: [Int]) -> LayerContext {
        LayerContext(vectors, positions: samples.flatMap { _ in positions }, samples: samples)
    }

    /// x [B, T, C] with the layer's vector in place.
    func placed(in x: Variable, layer: Int) -> Variable {
        guard layer < layers else { return x }
        precondition(
            positions.count == samples?.count ?? x.shape[0], "\(positions.count) positions for a batch of \(x.shape[0])"
        )
        let rows = zip(samples ?? Array(positions.indices), positions).map { $0 * x.shape[1] + $1 }
        return ReplaceRows(rows).apply([
            x, Gather([Int32](repeating: Int32(layer), count: rows.count)).apply([vectors]),
        ])
    }
}
