import Autograd
import Glibc
import Layers
import Tensors

/// T5's encoder (Raffel et al., arXiv 1910.10683; transformers' T5EncoderModel): RMS norms, unscaled attention with a
/// relative position bias of the first layer shared by all, a feed-forward that is gated or not, no biases. UMT5's
/// (Chung et al., arXiv 2304.09151) is the same with a position bias in every layer.
package final class T5Encoder {
    /// Its sizes: read under our names or transformers', and written under ours.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Rows of the table of tokens, those filled up to a round number among them.
        package var vocabularySize: Int
        /// D of a token and of a feature.
        package var width: Int
        /// Channels of a head; heads · headWidth need not be D.
        package var headWidth: Int
        /// Channels of the feed-forward's inside.
        package var feedForwardWidth: Int
        /// Blocks.
        package var layers: Int
        /// Heads of attention.
        package var heads: Int
        /// Kinds of distance between a query and a key, half of them for each direction.
        package var buckets = 32
        /// From this distance on all keys of a direction are of one kind.
        package var maximumDistance = 128
        /// ε of every RMS norm.
        var epsilon: Float = 1e-6
        /// What the feed-forward does between its layers.
        var feedForward = FeedForward.gatedGELU
        /// Whether the first block's position bias is that of all, as T5's is; UMT5's blocks have their own.
        var sharesPositionBias = true

        /// Buckets, their distance, ε and position biases are T5's own until they are set, the feed-forward is that of
        /// flan-t5.
        package init(vocabularySize: Int, width: Int, headWidth: Int, feedForwardWidth: Int, layers: Int, heads: Int) {
            self.vocabularySize = vocabularySize
            self.width = width
            self.headWidth = headWidth
            self.feedForwardWidth = feedForwardWidth
            self.layers = layers
            self.heads = heads
        }
    }

    private struct Block {
        let attentionNorm, feedForwardNorm: RMSNormLayer
        let q, k, v, o: LinearLayer
        /// Activated in the place of `up`, where the feed-forward is gated.
        let gate: LinearLayer?
        let up, down: LinearLayer
    }

    /// Its sizes; there is no longest text, for positions are distances.
    package let configuration: Configuration
    /// The table of tokens, [vocabulary, D].
    package let embedding: Parameter
    /// Of the first block alone where all share it.
    private let positionBiases: [Parameter]
    private let blocks: [Block]
    private let finalNorm: RMSNormLayer

    /// Weights are named as in transformers' T5EncoderModel; fresh ones are drawn as Mesh TensorFlow does.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        let inner = c.heads * c.headWidth
        self.configuration = c
        // Whoever saves the encoder alone may keep the table under the encoder's own name, the one it is tied to in the
        // whole T5.
        embedding = weights.parameter(
            "shared.weight", [c.vocabularySize, c.width], .normal(deviation: 1),
            aliases: ["encoder.embed_tokens.weight"], isTable: true)
        positionBiases = (0..<(c.sharesPositionBias ? 1 : c.layers)).map { layer in
            weights.parameter(
                "encoder.block.\(layer).layer.0.SelfAttention.relative_attention_bias.weight", [c.buckets, c.heads],
                .normal(deviation: 0.1))
        }
        blocks = (0..<c.layers).map { layer in
            let attention = "encoder.block.\(layer).layer.0"
            let feedForward = "encoder.block.\(layer).layer.1"
            func linear(_ name: String, _ inputs: Int, _ outputs: Int, deviation: Float) -> LinearLayer {
                LinearLayer(
                    weights, name, from: inputs, to: outputs, bias: false, initialization: .normal(deviation: deviation)
                )
            }
            // Mesh TensorFlow's scales: the query carries the missing 1/√headWidth.
            let width = 1 / Float(c.width).squareRoot()
            let head = 1 / Float(c.headWidth).squareRoot()
            let isGated = c.feedForward.isGated
            return Block(
                attentionNorm: RMSNormLayer(weights, "\(attention).layer_norm", width: c.width, epsilon: c.epsilon),
                feedForwardNorm: RMSNormLayer(weights, "\(feedForward).layer_norm", width: c.width, epsilon: c.epsilon),
                q: linear("\(attention).SelfAttention.q", c.width, inner, deviation: width * head),
                k: linear("\(attention).SelfAttention.k", c.width, inner, deviation: width),
                v: linear("\(attention).SelfAttention.v", c.width, inner, deviation: width),
                o: linear("\(attention).SelfAttention.o", inner, c.width, deviation: 1 / Float(inner).squareRoot()),
                gate: isGated
                    ? linear("\(feedForward).DenseReluDense.wi_0", c.width, c.feedForwardWidth, deviation: width)
                    : nil,
                up: linear(
                    "\(feedForward).DenseReluDense.\(isGated ? "wi_1" : "wi")", c.width, c.feedForwardWidth,
                    deviation: width),
                down: linear(
                    "\(feedForward).DenseReluDense.wo", c.feedForwardWidth, c.width,
                    deviation: 1 / Float(c.feedForwardWidth).squareRoot()))
        }
        finalNorm = RMSNormLayer(weights, "encoder.final_layer_norm", width: c.width, epsilon: c.epsilon)
    }

    /// Features of token ids, without padding. Ids in `replacing` take the given embedding [1, D] instead of the
    /// table's: a concept's learned word; such an id may lie beyond the table.
    package func callAsFunction(_ ids: [[Int32]], replacing: [Int32: Variable] = [:]) -> TextFeatures {
        let longest = ids.map(\.count).max() ?? 0
        let padded = ids.flatMap { $0 + [Int32](repeating: 0, count: longest - $0.count) }
        let states = states(padded, batch: ids.count, lengths: ids.map(\.count), replacing: replacing).last!
        let kept = ids.indices.flatMap { sample in (0..<ids[sample].count).map { Int32(sample * longest + $0) } }
        let rows = states.reshaped([ids.count * longest, configuration.width])
        return TextFeatures(values: Gather(kept).apply([rows]), lengths: ids.map(\.count))
    }

    /// The embeddings, every block's output, and last the normalized output, each [B, T, D], of ids [B · T] of which
    /// the first `lengths` of every sample are real.
    package func states(_ ids: [Int32], batch: Int, lengths: [Int], replacing: [Int32: Variable] = [:]) -> [Variable] {
        let length = ids.count / batch
        var x = embedded(ids, replacing).reshaped([batch, length, configuration.width])
        var bias = bias(length, positionBiases[0])
        let ranges = lengths.enumerated().map { $0 * length..<$0 * length + $1 }
        var states = [x]
        for (layer, block) in blocks.enumerated() {
            if layer > 0, !configuration.sharesPositionBias { bias = self.bias(length, positionBiases[layer]) }
            let h = block.attentionNorm(x)
            let attended = Attention(
                heads: configuration.heads, layout: .separate, logitScale: 1, hasBias: true, keyRanges: ranges
            )
            .apply([block.q(h), block.k(h), block.v(h), bias])
            x = x + block.o(attended)
            x = x + fed(block.feedForwardNorm(x), block)
            states.append(x)
        }
        states[states.count - 1] = finalNorm(x)
        return states
    }

    private func fed(_ x: Variable, _ block: Block) -> Variable {
        let (activation, up) = (configuration.feedForward, block.up(x))
        return block.down(block.gate.map { activation.activated($0(x)) * up } ?? activation.activated(up))
    }

    /// The mean of the table's rows of `ids`, [1, D].
    func meanEmbedding(_ ids: some Collection<Int32>) -> Tensor { embedding.mean(ofRows: ids) }

    private func embedded(_ ids: [Int32], _ replacing: [Int32: Variable]) -> Variable {
        var rows = embedding.rows(ids.map { replacing[$0] == nil ? $0 : 0 })
        for (id, vector) in replacing.sorted(by: { $0.key < $1.key }) {
            let places = ids.indices.filter { ids[$0] == id }
            guard !places.isEmpty else { continue }
            let repeated = Gather([Int32](repeating: 0, count: places.count)).apply([vector])
            rows = ReplaceRows(places).apply([rows, repeated])
        }
        return rows
    }

    /// [heads, T, T], from a table [buckets, heads].
    private func bias(_ length: Int, _ table: Parameter) -> Variable {
        let buckets = (0..<length).flatMap { query in (0..<length).map { Int32(bucket($0 - query)) } }
        let rows = Gather(buckets).apply([table.variable]).reshaped([1, length * length, configuration.heads])
        return SwapPlanes().apply([rows]).reshaped([configuration.heads, length, length])
    }

    /// Half the buckets for each direction; half of those exact, the rest logarithmic up to the maximum distance.
    private func bucket(_ relative: Int) -> Int {
        let half = configuration.buckets / 2
        let exact = half / 2
        let distance = abs(relative)
        let side = relative > 0 ? half : 0
        if distance < exact { return side + distance }
        let scaled =
            Float(log(Float(distance) / Float(exact))) / Float(log(Float(configuration.maximumDistance) / Float(exact)))
            * Float(half - exact)
        return side + min(exact + Int(scaled), half - 1)
    }
}
