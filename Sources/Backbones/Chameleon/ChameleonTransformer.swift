import Autograd
import Glibc
import Layers
import Tensors

/// Chameleon's transformer (Chameleon Team, arXiv 2405.09818), as Lumina-mGPT uses it (arXiv 2408.02657): a LLaMA
/// decoder with normalized queries and keys, over one vocabulary of text and picture tokens.
package final class ChameleonTransformer {
    /// Its sizes, read and written under these names.
    package struct Configuration: Codable, Equatable, Sendable {
        /// V: ids of text, marks and codes together.
        package var vocabularySize: Int
        /// C of a token.
        package var width: Int
        /// Channels of the gated feed-forward's inside.
        var feedForwardWidth: Int
        /// Layers.
        package var depth: Int
        /// Heads of queries; they divide C.
        package var heads: Int
        /// Heads of keys and values; fewer than `heads` where neighbours share them.
        package var keyHeads: Int
        /// Whether norms stand after attention and feed-forward (34B) instead of before (7B).
        package var swinNorm = false
        /// Tokens of the longest sequence.
        package var longestSequence: Int
        /// ε of every RMS norm.
        package var epsilon: Float = 1e-5
        /// Base of the rotary angles.
        package var rotaryBase: Float = 10000
        /// What positions are divided by before they turn anything; nil is one.
        package var rotaryFactor: Float?
        /// Whether the embeddings are what the head multiplies with, too; nil is no.
        package var tiesEmbeddings: Bool?
        /// Whether queries, keys, values and the output have a bias; the published models' have none.
        package var attentionBias = false
        /// Whether the feed-forward's three layers have; the published models' have none.
        package var feedForwardBias = false
        /// Rows of the query and key norms in the checkpoint; nil is one per head.
        package var queryNormRows: Int?
        /// As `queryNormRows`, of keys; nil is one per head of keys.
        package var keyNormRows: Int?

        /// Keys have the queries' heads unless given; the rest is the published 7B's until it is set.
        package init(
            vocabularySize: Int, width: Int, feedForwardWidth: Int, depth: Int, heads: Int, keyHeads: Int? = nil,
            swinNorm: Bool = false,
            longestSequence: Int
        ) {
            self.vocabularySize = vocabularySize
            self.width = width
            self.feedForwardWidth = feedForwardWidth
            self.depth = depth
            self.heads = heads
            self.keyHeads = keyHeads ?? heads
            self.swinNorm = swinNorm
            self.longestSequence = longestSequence
        }

        /// Lumina-mGPT 7B.
        package static let luminaMGPT7B = Configuration(
            vocabularySize: 65_536, width: 4096, feedForwardWidth: 11_008, depth: 32, heads: 32, longestSequence: 10_240
        )

        /// Channels of a head.
        var headWidth: Int { width / heads }
        var logitScale: Float { 1 / Float(headWidth).squareRoot() }
    }

    /// Its sizes; no sequence is longer than its `longestSequence`.
    package let configuration: Configuration
    /// The table of tokens, [V, C]; the head too, where `tiesEmbeddings` says so.
    package let embedding: Parameter
    let blocks: [ChameleonBlock]
    private let norm: RMSNormLayer
    /// Nil where the embeddings are the head.
    private let head: LinearLayer?
    let rotary: RotaryTable

    /// Weights are named as in transformers' ChameleonForConditionalGeneration.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        embedding = weights.parameter(
            "model.embed_tokens.weight", [c.vocabularySize, c.width], .normal(deviation: 0.02), isTable: true)
        blocks = (0..<c.depth).map { ChameleonBlock(weights, "model.layers.\($0)", configuration: c) }
        norm = RMSNormLayer(weights, "model.norm", width: c.width, epsilon: c.epsilon)
        head =
            c.tiesEmbeddings == true
            ? nil
            : LinearLayer(
                weights, "lm_head", from: c.width, to: c.vocabularySize, bias: false,
                initialization: .normal(deviation: 0.02))
        rotary = ChameleonTransformer.rotaryTable(c)
    }

    /// Teacher-forced logits [B, T, V] of ids [B · T]; shorter samples may be filled up at their end with any id.
    ///
    /// `bias` [1, T, T] is added to every attention score.
    package func logits(_ ids: [Int32], batch: Int, contexts: [LayerContext] = [], bias: Tensor? = nil) -> Variable {
        logits(ofStates: states(ids, batch: batch, contexts: contexts, bias: bias) { _, _ in })
    }

    /// States [.., C] after the last layer to logits [.., V].
    func logits(ofStates states: Variable) -> Variable {
        let x = norm(states)
        return head?(x) ?? embedding.project(x)
    }

    /// What every layer reads [B, T, C], from the embeddings on: the states that context vectors replace.
    package func layerInputs(_ ids: [Int32], batch: Int) -> [Variable] {
        var inputs: [Variable] = []
        _ = states(ids, batch: batch, contexts: [], bias: nil) { inputs.append($1) }
        return inputs
    }

    private func states(
        _ ids: [Int32], batch: Int, contexts: [LayerContext], bias: Tensor?, observe: (Int, Variable) -> Void
    ) -> Variable {
        let tokens = ids.count / batch
        let c = configuration
        precondition(
            ids.count == batch * tokens && tokens <= c.longestSequence,
            "\(tokens) tokens; at most \(c.longestSequence) are possible")
        let attention = Attention(
            heads: c.heads, keyHeads: c.keyHeads, layout: .separate, logitScale: c.logitScale, hasBias: bias != nil,
            visible: (1...Int32(tokens)).map { $0 })
        let bias = bias.map { [Variable($0)] } ?? []
        let x = embedding.rows(ids).reshaped([batch, tokens, c.width])
        let recomputes = BlockRecomputation.pays(rows: ids.count, width: c.width, depth: c.depth)
        let rotary = rotary.slice(0..<tokens)
        return layers(x, rotary: rotary, contexts: contexts, recomputes: recomputes, observe: observe) { _, q, k, v in
            attention.apply([q, k, v] + bias)
        }
    }

    /// x [B, T, C] through all layers, with context vectors put in place on the way.
    /// - Parameter recomputes: whether layers are computed once more on the way back, and keep nothing until then.
    func layers(
        _ x: Variable, rotary: RotaryTable, contexts: [LayerContext] = [], recomputes: Bool = false,
        observe: (Int, Variable) -> Void = { _, _ in },
        attend: @escaping (_ layer: Int, _ q: Variable, _ k: Variable, _ v: Variable) -> Variable
    ) -> Variable {
        var x = x
        for (layer, block) in blocks.enumerated() {
            for context in contexts { x = context.placed(in: x, layer: layer) }
            observe(layer, x)
            x = recomputed([x], where: recomputes) { inputs in
                block(inputs[0], rotary: rotary) { attend(layer, $0, $1, $2) }
            }
        }
        return x
    }

    /// Angles of every position: position / factor / base^(2i/headWidth) for channel pair i.
    private static func rotaryTable(_ c: Configuration) -> RotaryTable {
        let pairs = c.headWidth / 2
        let frequencies = (0..<pairs).map { 1 / pow(c.rotaryBase, Float(2 * $0) / Float(c.headWidth)) }
        let angles = (0..<c.longestSequence).flatMap { position in
            frequencies.map { Float(position) / (c.rotaryFactor ?? 1) * $0 }
        }
        let shape = [c.longestSequence, pairs]
        return RotaryTable(
            cosine: Tensor(angles.map { cos($0) }, shape: shape), sine: Tensor(angles.map { sin($0) }, shape: shape),
            pairsHalves: true)
    }
}
