import Autograd
import Layers

/// The vision transformer of DINO (Caron et al., arXiv 2104.14294; transformers' ViTModel without pooler): pre-norm
/// blocks, a class token whose normalized state is the picture's embedding, positions interpolated for other picture
/// sizes.
package final class DINOModel {
    /// Sizes, read and written as the `config.json` of published checkpoints; what a file leaves out is transformers'
    /// ViTConfig's.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Channels C of a patch and of a feed-forward's inside, blocks, and heads (they divide C).
        package var width, feedForwardWidth, layers, heads: Int
        /// Pixels on a side of the pictures the positions belong to, and of a patch.
        package var pictureSize, patchSize: Int
        /// Of the feed-forward; the published models' is the exact GELU.
        package var activation: Activation
        /// ε of every layer norm.
        var epsilon: Float
        /// Whether queries, keys and values have a bias (`qkv_bias`).
        var projectionsHaveBias: Bool
        /// Added to the new number of patches where positions are interpolated: 0.1 in torch.hub's model, else nothing.
        package var positionExcess: Float?

        /// `positionExcess` is nothing, as in transformers' weights.
        package init(
            width: Int, feedForwardWidth: Int, layers: Int, heads: Int, pictureSize: Int, patchSize: Int,
            activation: Activation = .gelu,
            epsilon: Float = 1e-12, projectionsHaveBias: Bool = true
        ) {
            (self.width, self.feedForwardWidth, self.layers, self.heads) = (width, feedForwardWidth, layers, heads)
            (self.pictureSize, self.patchSize, self.activation) = (pictureSize, patchSize, activation)
            (self.epsilon, self.projectionsHaveBias) = (epsilon, projectionsHaveBias)
        }

        private enum CodingKeys: String, CodingKey {
            case width = "hidden_size"
            case feedForwardWidth = "intermediate_size"
            case layers = "num_hidden_layers"
            case heads = "num_attention_heads"
            case pictureSize = "image_size"
            case patchSize = "patch_size"
            case activation = "hidden_act"
            case epsilon = "layer_norm_eps"
            case projectionsHaveBias = "qkv_bias"
            case positionExcess = "interpolate_offset"
        }

        /// What a file leaves out is ViTConfig's: a ViT-B/16 of pictures of 224 pixels.
        /// - Throws: `DecodingError` for a value of another type, an unknown `hidden_act` among them.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                width: try keys.value(.width, 768), feedForwardWidth: try keys.value(.feedForwardWidth, 3072),
                layers: try keys.value(.layers, 12),
                heads: try keys.value(.heads, 12), pictureSize: try keys.value(.pictureSize, 224),
                patchSize: try keys.value(.patchSize, 16),
                activation: try keys.value(.activation, .gelu),
                epsilon: try keys.value(.epsilon, 1e-12),
                projectionsHaveBias: try keys.value(.projectionsHaveBias, true))
            positionExcess = try keys.decodeIfPresent(Float.self, forKey: .positionExcess)
        }
    }

    /// Its sizes; pictures of another size than `pictureSize` have their positions interpolated.
    package let configuration: Configuration
    private let embedding: PatchEmbedding
    private let blocks: [EncoderBlock]
    private let finalNorm: LayerNormLayer

    /// Weights are named as in transformers' ViTModel; `DINOModel.weights` brings torch.hub's names to these.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        embedding = PatchEmbedding(
            weights,
            PatchEmbedding.Names(
                projection: "embeddings.patch_embeddings.projection", classToken: "embeddings.cls_token",
                positions: "embeddings.position_embeddings", classDimensions: [1, 1], positionDimensions: [1]),
            width: c.width, pictureSize: c.pictureSize, patchSize: c.patchSize, bias: true,
            excess: c.positionExcess ?? 0)
        let sizes = EncoderBlock.Sizes(
            width: c.width, feedForwardWidth: c.feedForwardWidth, heads: c.heads, layers: c.layers,
            activation: c.activation, epsilon: c.epsilon)
        blocks = (0..<c.layers).map {
            EncoderBlock(weights, .vit("encoder.layer.\($0)"), sizes, projectionsHaveBias: c.projectionsHaveBias)
        }
        finalNorm = LayerNormLayer(weights, "layernorm", width: c.width, epsilon: c.epsilon)
    }

    /// The normalized tokens [B, 1 + patches, C] of prepared pictures [B, 3, H, W].
    package func tokens(_ pictures: Variable) -> Variable { finalNorm(blocks.reduce(embedding(pictures)) { $1($0) }) }

    /// Prepared pictures' embeddings [B, C]: the class token's state.
    package func embeddings(_ pictures: Variable) -> Variable {
        let first = tokens(pictures).tokens(0..<1)
        return first.reshaped([first.shape[0], first.shape[2]])
    }

    /// Positions of a picture of rows × columns patches, [1, 1 + rows·columns, C].
    package func positions(rows: Int, columns: Int) -> Variable { embedding.positions(rows: rows, columns: columns) }
}
