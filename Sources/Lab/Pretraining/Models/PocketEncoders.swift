import Backbones

/// The sizes of the embedded encoders: CLIP's and DINO's own architectures, small enough to be trained from nothing on
/// two cores.
enum PocketEncoders {
    static let pictureSize = 64

    /// About three million parameters.
    static func clip(tokenizer: CLIPTokenizer) -> CLIPModel.Configuration {
        CLIPModel.Configuration(
            text: CLIPModel.Text(
                width: 128, feedForwardWidth: 512, layers: 3, heads: 4, vocabularySize: tokenizer.vocabularySize,
                length: 32,
                endID: Int(tokenizer.endID)),
            vision: CLIPModel.Vision(
                width: 192, feedForwardWidth: 768, layers: 5, heads: 6, pictureSize: pictureSize, patchSize: 8),
            projectionWidth: 128)
    }

    /// Below three million parameters.
    static let dino = DINOModel.Configuration(
        width: 192, feedForwardWidth: 768, layers: 6, heads: 3, pictureSize: pictureSize, patchSize: 8, epsilon: 1e-6)

    static let selfDistillation = SelfDistillation(
        prototypes: 256, hidden: 512, bottleneck: 128, localCrops: 4, globalSide: pictureSize,
        localSide: pictureSize / 2)
}

/// What self-distillation needs beside the network it trains.
struct SelfDistillation: Sendable {
    /// Outputs of the projection head, and its inner widths.
    var prototypes, hidden, bottleneck: Int
    /// Small crops a picture, beside its two large ones.
    var localCrops: Int
    /// Pixels on a side of large and small crops.
    var globalSide, localSide: Int
    var teacherTemperature: Float = 0.04
    var studentTemperature: Float = 0.1
    /// The share of itself that the teacher keeps at the first step; it grows to one along a cosine.
    var momentum: Float = 0.99
}
