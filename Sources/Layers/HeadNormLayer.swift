import Autograd
import Tensors

/// Layer norm of every head of a projection on its own, each with weight and bias of its own (query and key
/// normalization, Dehghani et al. 2023). Weight names: `<name>.weight`, `<name>.bias` [rows, headWidth]; a checkpoint
/// with fewer rows than heads (one for each of the shards it was trained on) gives a row to as many neighbouring heads.
package struct HeadNormLayer {
    /// [rows, headWidth].
    package let weight: Parameter
    /// [rows, headWidth].
    package let bias: Parameter
    let heads: Int

    /// - Parameter rows: of weight and bias; they divide the heads. Nil: one a head.
    package init(_ weights: Weights, _ name: String, heads: Int, headWidth: Int, rows: Int?) {
        let shape = [rows ?? heads, headWidth]
        precondition(heads % shape[0] == 0, "\(name): \(shape[0]) rows do not divide \(heads) heads")
        weight = weights.parameter("\(name).weight", shape, .ones)
        bias = weights.parameter("\(name).bias", shape, .zeros)
        self.heads = heads
    }

    /// x [.., heads · headWidth], same shape.
    package func callAsFunction(_ x: Variable) -> Variable {
        let rows = x.value.rows
        let headWidth = x.value.width / heads
        let normed = LayerNorm(epsilon: 1e-5).apply([x.reshaped([rows * heads, headWidth])]).reshaped(x.shape)
        return AddRows(rowsPerGroup: rows).apply([
            MultiplyRows(rowsPerGroup: rows).apply([normed, spread(weight)]), spread(bias),
        ])
    }

    /// [rows, headWidth] → [1, heads · headWidth].
    private func spread(_ parameter: Parameter) -> Variable {
        let rows = parameter.shape[0]
        let width = parameter.count / rows
        let all =
            rows == heads
            ? parameter.variable : Gather((0..<heads).map { Int32($0 * rows / heads) }).apply([parameter.variable])
        return all.reshaped([1, heads * width])
    }
}
