import Autograd
import Glibc
import Layers
import Tensors

/// CLIP (Radford et al., arXiv 2103.00020; transformers' CLIPModel): a text and a vision transformer whose projections
/// share one space.
package final class CLIPModel {
    /// Both towers' sizes; the longest text is `text.length` ids.
    package let configuration: Configuration
    private let text: TextTower
    private let vision: VisionTower
    private let textProjection, pictureProjection: LinearLayer
    /// The logarithm of what cosines are multiplied by; training holds it at ln 100 or below.
    package let logitScale: Parameter

    /// Weights are named as in transformers' CLIPModel; fresh cosines are multiplied by 1/0.07.
    package init(_ configuration: Configuration, _ weights: Weights) {
        self.configuration = configuration
        text = TextTower(configuration.text, weights)
        vision = VisionTower(configuration.vision, weights)
        func projection(_ name: String, _ width: Int) -> LinearLayer {
            LinearLayer(
                weights, name, from: width, to: configuration.projectionWidth, bias: false,
                initialization: .normal(deviation: 1 / Float(width).squareRoot()))
        }
        textProjection = projection("text_projection", configuration.text.width)
        pictureProjection = projection("visual_projection", configuration.vision.width)
        logitScale = weights.parameter("logit_scale", [], .constant(log(1 / 0.07)))
    }

    /// What a tower computes on the way: `hidden` holds the embeddings and every block's output [B, T, C].
    package struct States {
        /// Layers + 1 of them, before the tower's last norm.
        package let hidden: [Variable]
        /// One vector per sample, [B, C], before the projection.
        package let pooled: Variable
        /// The last output after the tower's final norm; the vision tower norms its class token alone and has none.
        package let normalized: Variable?
    }

    /// The text tower on ids [B · T]; of each sample only the first `lengths` are attended to, all when nil.
    package func textStates(_ ids: [Int32], batch: Int, lengths: [Int]? = nil) -> States {
        text.states(ids, batch: batch, lengths: lengths)
    }

    /// The vision tower on prepared pictures [B, 3, H, W].
    package func pictureStates(_ pictures: Variable) -> States { vision.states(pictures) }

    /// Pooled texts [B, C] in the shared space [B, D], not yet of length one.
    package func projected(text states: States) -> Variable { textProjection(states.pooled) }
    /// Pooled pictures [B, C] in the shared space [B, D], not yet of length one.
    func projected(pictures states: States) -> Variable { pictureProjection(states.pooled) }

    /// Texts' places in the shared space, [B, D], of length one. Each holds both marks and at most the model's length
    /// of ids.
    package func embeddings(texts: [[Int32]]) -> Variable {
        let longest = texts.map(\.count).max() ?? 0
        let padded = texts.flatMap { $0 + [Int32](repeating: $0.last!, count: longest - $0.count) }
        return NormalizeRows().apply([projected(text: textStates(padded, batch: texts.count))])
    }

    /// Prepared pictures' places in the shared space, [B, D], of length one.
    package func embeddings(pictures: Variable) -> Variable {
        NormalizeRows().apply([projected(pictures: pictureStates(pictures))])
    }

    /// exp(scale) · a · bᵀ, of embeddings [A, D] and [B, D].
    package func logits(_ a: Variable, _ b: Variable) -> Variable {
        let cosines = Linear().apply([a, b])
        let gain = ExponentialGain(limit: .infinity).apply([logitScale.variable.reshaped([1, 1])])
        let column = cosines.reshaped([cosines.shape[0] * cosines.shape[1], 1])
        return MultiplyRows(rowsPerGroup: column.shape[0]).apply([column, gain]).reshaped(cosines.shape)
    }
}

struct TextTower {
    private let configuration: CLIPModel.Text
    private let embedding, positions: Parameter
    private let blocks: [EncoderBlock]
    private let finalNorm: LayerNormLayer

    init(_ c: CLIPModel.Text, _ weights: Weights) {
        configuration = c
        embedding = weights.parameter(
            "text_model.embeddings.token_embedding.weight", [c.vocabularySize, c.width], .normal(deviation: 0.02),
            isTable: true)
        positions = weights.parameter(
            "text_model.embeddings.position_embedding.weight", [c.length, c.width], .normal(deviation: 0.01))
        let sizes = EncoderBlock.Sizes(
            width: c.width, feedForwardWidth: c.feedForwardWidth, heads: c.heads, layers: c.layers,
            activation: c.activation, epsilon: c.epsilon)
        blocks = (0..<c.layers).map { EncoderBlock(weights, .clip("text_model.encoder.layers.\($0)"), sizes) }
        finalNorm = LayerNormLayer(weights, "text_model.final_layer_norm", width: c.width, epsilon: c.epsilon)
    }

    func states(_ ids: [Int32], batch: Int, lengths: [Int]?) -> CLIPModel.States {
        let length = ids.count / batch
        precondition(
            length <= configuration.length, "a text of \(length) tokens; CLIP's has at most \(configuration.length)")
        let tokens = embedding.rows(ids).reshaped([batch, length, configuration.width])
        let places = Gather((0..<Int32(length)).map { $0 }).apply([positions.variable])
        let causal = (0..<Int32(length)).map { $0 + 1 }
        let ranges = lengths?.enumerated().map { $0 * length..<$0 * length + $1 }
        var hidden = [AddRows(rowsPerGroup: 1).apply([tokens, places])]
        for block in blocks { hidden.append(block(hidden.last!, visible: causal, keyRanges: ranges)) }
        let normalized = finalNorm(hidden.last!)
        let rows = normalized.reshaped([batch * length, configuration.width])
        let ends = (0..<batch).map { Int32($0 * length + end(of: Array(ids[$0 * length..<($0 + 1) * length]))) }
        return CLIPModel.States(hidden: hidden, pooled: Gather(ends).apply([rows]), normalized: normalized)
    }

    /// Where a text's vector is read: at its first end mark.
    private func end(of ids: [Int32]) -> Int {
        let mark = configuration.endID == 2 ? ids.max()! : Int32(configuration.endID)
        return ids.firstIndex(of: mark) ?? 0
    }
}

private struct VisionTower {
    private let embedding: PatchEmbedding
    private let blocks: [EncoderBlock]
    private let entryNorm, exitNorm: LayerNormLayer

    init(_ c: CLIPModel.Vision, _ weights: Weights) {
        embedding = PatchEmbedding(
            weights,
            PatchEmbedding.Names(
                projection: "vision_model.embeddings.patch_embedding",
                classToken: "vision_model.embeddings.class_embedding",
                positions: "vision_model.embeddings.position_embedding.weight", classDimensions: [],
                positionDimensions: []),
            width: c.width, pictureSize: c.pictureSize, patchSize: c.patchSize, bias: false)
        let sizes = EncoderBlock.Sizes(
            width: c.width, feedForwardWidth: c.feedForwardWidth, heads: c.heads, layers: c.layers,
            activation: c.activation, epsilon: c.epsilon)
        entryNorm = LayerNormLayer(weights, "vision_model.pre_layrnorm", width: c.width, epsilon: c.epsilon)
        blocks = (0..<c.layers).map { EncoderBlock(weights, .clip("vision_model.encoder.layers.\($0)"), sizes) }
        exitNorm = LayerNormLayer(weights, "vision_model.post_layernorm", width: c.width, epsilon: c.epsilon)
    }

    func states(_ pictures: Variable) -> CLIPModel.States {
        var hidden = [entryNorm(embedding(pictures))]
        for block in blocks { hidden.append(block(hidden.last!)) }
        let last = hidden.last!
        let first = last.tokens(0..<1).reshaped([last.shape[0], last.shape[2]])
        return CLIPModel.States(hidden: hidden, pooled: exitNorm(first), normalized: nil)
    }
}
