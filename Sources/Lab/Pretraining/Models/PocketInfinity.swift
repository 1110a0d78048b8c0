import Backbones
import LittleWorld

/// The sizes of the embedded model: small enough to be trained from nothing, and to personalize in two minutes, on two
/// cores.
package enum PocketInfinity {
    /// - Parameter pictureSize: pixels on a side; 16×16 tokens hold them whatever that is.
    package static func configuration(vocabulary: Int, pictureSize: Int = 64) -> InfinityModel.Configuration {
        let schedule = ScaleSchedule.square([1, 2, 4, 8, 16])
        let bits = 16
        return InfinityModel.Configuration(
            name: "pocket-infinity", pictureSize: pictureSize, schedule: schedule,
            tokenizer: BitwiseTokenizer.Configuration(
                baseChannels: 64, encoderMultipliers: [1, 2], decoderMultipliers: [1, 2], residualBlocks: 2, bits: bits,
                patchSize: pictureSize / 16, groups: 1, pixelBlock: pictureSize / 32),
            text: T5Encoder.Configuration(
                vocabularySize: vocabulary, width: 128, headWidth: 32, feedForwardWidth: 256, layers: 2, heads: 4),
            transformer: InfinityTransformer.Configuration(
                width: 256, depth: 6, heads: 8, textWidth: 128, textLength: 32, bits: bits, blockChunks: 1,
                schedule: schedule),
            guidance: 3, temperature: [0.8, 0.7, 0.6, 0.5, 0.4], styledPrompt: LittleWorld.styledPrompt)
    }
}
