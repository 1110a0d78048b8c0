import Autograd
import Glibc
import Layers
import Tensors

/// One block: adaptive self-attention, cross-attention to the text, adaptive feed-forward.
struct InfinityBlock {
    private let configuration: InfinityTransformer.Configuration
    private let ada: Parameter
    private let qkv: Parameter
    private let queryBias, valueBias, gain: Parameter
    private let selfProjection: LinearLayer
    private let crossNorm: LayerNormLayer
    private let crossQuery: LinearLayer
    private let crossKeys, crossValueBias: Parameter
    private let crossProjection: LinearLayer
    private let up, down: LinearLayer

    init(_ weights: Weights, _ name: String, configuration c: InfinityTransformer.Configuration) {
        configuration = c
        let width = c.width
        let residual = Initialization.normal(deviation: 0.02 / Float(2 * c.depth).squareRoot())
        ada = weights.parameter("\(name).ada_gss", [1, 1, 6, width], .normal(deviation: 1 / Float(width).squareRoot()))
        qkv = weights.parameter(
            "\(name).sa.mat_qkv.weight", [3 * width, width], .uniform(fanIn: width), isProjection: true)
        queryBias = weights.parameter("\(name).sa.q_bias", [width], .zeros)
        valueBias = weights.parameter("\(name).sa.v_bias", [width], .zeros)
        gain = weights.parameter("\(name).sa.scale_mul_1H11", [1, c.heads, 1, 1], .constant(log(4)))
        selfProjection = LinearLayer(weights, "\(name).sa.proj", from: width, to: width, initialization: residual)
        crossNorm = LayerNormLayer(weights, "\(name).ca_norm", width: width, epsilon: c.epsilon)
        crossQuery = LinearLayer(weights, "\(name).ca.mat_q", from: width, to: width)
        crossKeys = weights.parameter(
            "\(name).ca.mat_kv.weight", [2 * width, width], .uniform(fanIn: width), isProjection: true)
        crossValueBias = weights.parameter("\(name).ca.v_bias", [width], .zeros)
        crossProjection = LinearLayer(weights, "\(name).ca.proj", from: width, to: width, initialization: residual)
        up = LinearLayer(weights, "\(name).ffn.fc1", from: width, to: c.feedForwardWidth)
        down = LinearLayer(weights, "\(name).ffn.fc2", from: c.feedForwardWidth, to: width, initialization: residual)
    }

    /// x [B, T, C] → [B, T, C]. Without a cache, `visible` says how many tokens each may see; with one, the tokens
    /// given follow those already in it and see all of them and each other.
    func callAsFunction(
        _ x: Variable, _ condition: InfinityTransformer.Condition, rotary: RotaryTable, visible: [Int32]?,
        cache: KeyValueCache?
    ) -> Variable {
        let width = configuration.width
        let tokens = x.shape[1]
        let six = AddRows(rowsPerGroup: 1).apply([condition.ada, ada.variable.reshaped([1, 6 * width])])
        func part(_ index: Int) -> Variable { six.columns(index * width..<(index + 1) * width) }
        let gate1 = part(0)
        let gate2 = part(1)
        let scale1 = part(2)
        let scale2 = part(3)
        let shift1 = part(4)
        let shift2 = part(5)
        func norm(_ x: Variable, _ scale: Variable, _ shift: Variable) -> Variable {
            LayerNorm(offset: 1, rowsPerGroup: tokens, epsilon: configuration.epsilon).apply([x, scale, shift])
        }
        let addGated = AddGatedRows(rowsPerGroup: tokens)
        let attended = selfAttention(norm(x, scale1, shift1), rotary: rotary, visible: visible, cache: cache)
        var x = addGated.apply([x, attended, gate1])
        x = x + crossAttention(crossNorm(x), condition)
        return addGated.apply([x, down(GELU().apply([up(norm(x, scale2, shift2))])), gate2])
    }

    private func selfAttention(_ x: Variable, rotary: RotaryTable, visible: [Int32]?, cache: KeyValueCache?) -> Variable
    {
        let width = configuration.width
        let heads = configuration.heads
        let bias = Concatenate().apply([
            queryBias.variable.reshaped([1, 1, width]), Variable(Tensor(zeros: [1, 1, width])),
            valueBias.variable.reshaped([1, 1, width]),
        ]).reshaped([3 * width])
        let packed = qkv.project(x, bias: bias)
        let gains = ExponentialGain(limit: log(100)).apply([gain.variable]).reshaped([heads])
        let prepared = Heads(heads: heads, sections: 3, normalize: true, rotary: rotary).apply([packed, gains])
        guard let cache else {
            return selfProjection(
                Attention(heads: heads, layout: .packed, logitScale: 1, visible: visible).apply([prepared]))
        }
        func part(_ index: Int) -> Variable { prepared.columns(index * width..<(index + 1) * width) }
        return selfProjection(cache.attend(part(0), part(1), part(2), heads: heads, logitScale: 1))
    }

    private func crossAttention(_ x: Variable, _ condition: InfinityTransformer.Condition) -> Variable {
        let kv = crossKeys.project(condition.text, bias: keyFreeBias(crossValueBias, width: configuration.width))
        let attended = Attention(
            heads: configuration.heads, layout: .queryAndPackedKeys,
            logitScale: 1 / Float(configuration.headWidth).squareRoot(),
            keyRanges: condition.ranges
        ).apply([crossQuery(x), kv])
        return crossProjection(attended)
    }
}
