import Backbones

/// The sizes of the embedded encoders: CLIP's and DINO's own architectures, small enough to be trained from nothing on
/// two cores.
package enum PocketEncoders {
    package static let pictureSize = 64

    /// About three million parameters.
    package static func clip(tokenizer: CLIPTokenizer) -> CLIPModel.Configuration {
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
    package static let dino = DINOModel.Configuration(
        width: 192, feedForwardWidth: 768, layers: 6, heads: 3, pictureSize: pictureSize, patchSize: 8, epsilon: 1e-6)

    package static let selfDistillation = SelfDistillation(
        prototypes: 256, hidden: 512, bottleneck: 128, localCrops: 4, globalSide: pictureSize,
        localSide: pictureSize / 2)
}

/// What self-distillation needs beside the network it trains.
package struct SelfDistillation: Sendable {
    /// Outputs of the projection head, and its inner widths.
    package var prototypes, hidden, bottleneck: Int
    /// Small crops a picture, beside its two large ones.
    package var localCrops: Int
    /// Pixels on a side of large and small crops.
    package var globalSide, localSide: Int
    package var teacherTemperature: Float = 0.04
    package var studentTemperature: Float = 0.1
    /// The share of itself that the teacher keeps at the first step; it grows to one along a cosine.
    package var momentum: Float = 0.99

    package init(prototypes: Int, hidden: Int, bottleneck: Int, localCrops: Int, globalSide: Int, localSide: Int) {
        (self.prototypes, self.hidden, self.bottleneck) = (prototypes, hidden, bottleneck)
        (self.localCrops, self.globalSide, self.localSide) = (localCrops, globalSide, localSide)
    }
}
