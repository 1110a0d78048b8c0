import Autograd
import Layers
import Tensors

/// Attention pooling of the text with one learned query: the start of the sequence and the condition.
struct AttentionPooling {
    let query: Parameter
    let keysAndValues: Parameter
    let valueBias: Parameter
    let projection: LinearLayer
    let heads: Int
    let width: Int

    init(_ weights: Weights, _ name: String, configuration c: InfinityTransformer.Configuration) {
        heads = c.poolingHeads
        width = c.width
        query = weights.parameter("\(name).mat_q", [1, heads, width / heads], .normal(deviation: 0.02))
        keysAndValues = weights.parameter(
            "\(name).mat_kv.weight", [2 * width, c.textWidth], .uniform(fanIn: c.textWidth), isProjection: true)
        valueBias = weights.parameter("\(name).v_bias", [width], .zeros)
        projection = LinearLayer(weights, "\(name).proj", from: width, to: width)
    }

    /// [ΣT, D] → [B, C].
    func callAsFunction(_ text: Variable, ranges: [Range<Int>]) -> Variable {
        let kv = keysAndValues.project(text, bias: keyFreeBias(valueBias, width: width))
        let q = Gather([Int32](repeating: 0, count: ranges.count)).apply([query.variable.reshaped([1, width])])
        let pooled = Attention(
            heads: heads, layout: .queryAndPackedKeys, logitScale: 1 / Float(width / heads).squareRoot(),
            keyRanges: ranges
        ).apply([q.reshaped([ranges.count, 1, width]), kv])
        return projection(pooled.reshaped([ranges.count, width]))
    }
}

/// The bias of a packed key and value projection whose keys have none: zeros, then the value's [2·C].
func keyFreeBias(_ value: Parameter, width: Int) -> Variable {
    Concatenate().apply([Variable(Tensor(zeros: [1, 1, width])), value.variable.reshaped([1, 1, width])]).reshaped([
        2 * width
    ])
}
