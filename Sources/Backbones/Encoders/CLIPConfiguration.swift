extension CLIPModel {
    /// CLIP's sizes, read and written as the `config.json` of published checkpoints; what a file leaves out is that of
    /// ViT-B/32, as transformers' CLIPConfig has it.
    package struct Configuration: Codable, Equatable, Sendable {
        /// `text_config`.
        package var text: Text
        /// `vision_config`.
        package var vision: Vision
        /// D of the shared space, `projection_dim`.
        package var projectionWidth: Int

        /// Sizes are held against each other where a file of them is read (`ConfigurationFile`), not here.
        package init(text: Text, vision: Vision, projectionWidth: Int) {
            (self.text, self.vision, self.projectionWidth) = (text, vision, projectionWidth)
        }

        private enum CodingKeys: String, CodingKey {
            case text = "text_config"
            case vision = "vision_config"
            case projectionWidth = "projection_dim"
        }

        /// - Throws: `DecodingError` where `text_config` or `vision_config` is missing, or a value is of another type.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                text: try keys.decode(Text.self, forKey: .text), vision: try keys.decode(Vision.self, forKey: .vision),
                projectionWidth: try keys.value(.projectionWidth, 512))
        }
    }

    /// The text tower's sizes, under transformers' CLIPTextConfig's names.
    package struct Text: Codable, Equatable, Sendable {
        /// Channels C of a token and of a feed-forward's inside, blocks, heads (they divide C), and rows of the table
        /// of tokens.
        package var width, feedForwardWidth, layers, heads, vocabularySize: Int
        /// Most tokens of a text, both marks included.
        package var length: Int
        /// Of the feed-forward; the first CLIP's is quick GELU, open_clip's the exact one.
        package var activation: Activation
        /// ε of every layer norm.
        package var epsilon: Float
        /// The end mark; 2, in old checkpoints, stands for the largest id.
        package var endID: Int

        /// The activation and ε are OpenAI's unless given.
        package init(
            width: Int, feedForwardWidth: Int, layers: Int, heads: Int, vocabularySize: Int, length: Int, endID: Int,
            activation: Activation = .quickGELU, epsilon: Float = 1e-5
        ) {
            (self.width, self.feedForwardWidth, self.layers, self.heads) = (width, feedForwardWidth, layers, heads)
            (self.vocabularySize, self.length, self.endID) = (vocabularySize, length, endID)
            (self.activation, self.epsilon) = (activation, epsilon)
        }

        private enum CodingKeys: String, CodingKey {
            case width = "hidden_size"
            case feedForwardWidth = "intermediate_size"
            case layers = "num_hidden_layers"
            case heads = "num_attention_heads"
            case vocabularySize = "vocab_size"
            case length = "max_position_embeddings"
            case activation = "hidden_act"
            case epsilon = "layer_norm_eps"
            case endID = "eos_token_id"
        }

        /// What a file leaves out is ViT-B/32's.
        /// - Throws: `DecodingError` for a value of another type, an unknown `hidden_act` among them.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                width: try keys.value(.width, 512), feedForwardWidth: try keys.value(.feedForwardWidth, 2048),
                layers: try keys.value(.layers, 12),
                heads: try keys.value(.heads, 8), vocabularySize: try keys.value(.vocabularySize, 49408),
                length: try keys.value(.length, 77),
                endID: try keys.value(.endID, 49407),
                activation: try keys.value(.activation, .quickGELU),
                epsilon: try keys.value(.epsilon, 1e-5))
        }
    }

    /// The vision tower's sizes, under transformers' CLIPVisionConfig's names.
    package struct Vision: Codable, Equatable, Sendable {
        /// Channels C of a patch and of a feed-forward's inside, blocks, and heads (they divide C).
        package var width, feedForwardWidth, layers, heads: Int
        /// Pixels on a side of a picture, and of a patch.
        package var pictureSize, patchSize: Int
        /// Of the feed-forward, as the text tower's.
        package var activation: Activation
        /// ε of every layer norm.
        package var epsilon: Float

        /// The activation and ε are OpenAI's unless given.
        package init(
            width: Int, feedForwardWidth: Int, layers: Int, heads: Int, pictureSize: Int, patchSize: Int,
            activation: Activation = .quickGELU, epsilon: Float = 1e-5
        ) {
            (self.width, self.feedForwardWidth, self.layers, self.heads) = (width, feedForwardWidth, layers, heads)
            (self.pictureSize, self.patchSize) = (pictureSize, patchSize)
            (self.activation, self.epsilon) = (activation, epsilon)
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
        }

        /// What a file leaves out is ViT-B/32's.
        /// - Throws: `DecodingError` for a value of another type, an unknown `hidden_act` among them.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                width: try keys.value(.width, 768), feedForwardWidth: try keys.value(.feedForwardWidth, 3072),
                layers: try keys.value(.layers, 12),
                heads: try keys.value(.heads, 12), pictureSize: try keys.value(.pictureSize, 224),
                patchSize: try keys.value(.patchSize, 32),
                activation: try keys.value(.activation, .quickGELU),
                epsilon: try keys.value(.epsilon, 1e-5))
        }
    }
}
