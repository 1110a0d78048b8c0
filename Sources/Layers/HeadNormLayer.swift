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
        let (rows, headWidth) = (weight.shape[0], weight.shape[1])
        let norm = LayerNorm(rowsPerGroup: heads / rows, epsilon: 1e-5)
        return norm.apply([x.reshaped([x.value.rows * heads, headWidth]), weight.variable, bias.variable])
            .reshaped(x.shape)
    }
}
