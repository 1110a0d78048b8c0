import Autograd
import Layers
import Tensors

/// Infinity's picture tokenizer (BSQ-VAE, infinity/models/bsq_vae/flux_vqgan.py): a convolutional encoder to d features
/// per position, multi-scale bits, and a decoder back.
package final class BitwiseTokenizer {
    /// The BSQ-VAE's sizes, read and written under these names.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Channels of the first convolution, which the multipliers multiply.
        var baseChannels: Int
        /// Of the encoder's levels, finest first.
        var encoderMultipliers: [Int]
        /// Of the decoder's levels, finest first.
        var decoderMultipliers: [Int]
        /// Of a level; the decoder's levels have one more.
        var residualBlocks: Int
        /// Bits per code, d.
        package var bits: Int
        /// Pixels per feature position on a side; a power of two.
        package var patchSize: Int
        /// Codes of a token on a side, where that is not one: 2 of the 8B's.
        package var codePatch: Int?
        /// Groups of the group norms; nil takes the reference's rule (32, or 24 where 32 does not divide the channels).
        /// Narrow models need fewer: with one channel a group the mean of every channel, and with it a picture's
        /// colours, is normalized away.
        package var groups: Int?
        /// Pixels on a side that enter the first convolution as channels and leave the last one so (space to depth);
        /// nil is the reference's 1. Most of a small tokenizer's time goes into its finest level: starting at half the
        /// resolution with twice the channels, it learns more from every picture and is faster.
        package var pixelBlock: Int?

        /// A token is one code until `codePatch` is set.
        package init(
            baseChannels: Int, encoderMultipliers: [Int], decoderMultipliers: [Int], residualBlocks: Int, bits: Int,
            patchSize: Int,
            groups: Int? = nil, pixelBlock: Int? = nil
        ) {
            self.pixelBlock = pixelBlock
            self.groups = groups
            self.baseChannels = baseChannels
            self.encoderMultipliers = encoderMultipliers
            self.decoderMultipliers = decoderMultipliers
            self.residualBlocks = residualBlocks
            self.bits = bits
            self.patchSize = patchSize
        }

        /// Pixels of a token on a side.
        var tokenSize: Int { patchSize * (codePatch ?? 1) }

        func quantizer(_ schedule: ScaleSchedule) -> BitwiseQuantizer {
            let patch = codePatch ?? 1
            return BitwiseQuantizer(schedule: schedule, depth: bits * patch * patch, patch: patch)
        }

        /// How often the encoder halves.
        var halvings: Int { (patchSize / block).trailingZeroBitCount }
        var block: Int { pixelBlock ?? 1 }
    }

    /// Its sizes; `tokenSize` pixels on a side are one token.
    package let configuration: Configuration
    private let encoder: PictureEncoder
    private let decoder: PictureDecoder

    /// Weights are named as in Infinity's checkpoints: `conv1.conv.weight`, or `conv1.weight` where the source has
    /// that.
    package init(_ configuration: Configuration, _ weights: Weights) {
        self.configuration = configuration
        let plan = PictureAutoencoderPlan(
            baseChannels: configuration.baseChannels,
            encoderChannels: configuration.encoderMultipliers.map { $0 * configuration.baseChannels },
            decoderChannels: configuration.decoderMultipliers.map { $0 * configuration.baseChannels },
            residualBlocks: configuration.residualBlocks, pixelBlock: configuration.block,
            latentChannels: configuration.bits, halvings: configuration.halvings,
            groups: configuration.groups, middleAttends: false,
            names: weights.isGiven("encoder.conv_in.weight") ? .latentDiffusion : .nested, weights: weights)
        encoder = PictureEncoder(plan)
        decoder = PictureDecoder(plan)
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to features [B, d, H/patch, W/patch].
    package func features(_ pictures: Variable) -> Variable { encoder(pictures) }

    /// Summed codes [B, d, h, w] to pictures [B, 3, H, W], not clamped.
    package func decode(_ sum: Variable) -> Variable { decoder(sum) }

    /// Bits of features [B, bits, h, w], coarse to fine; of a token of several codes the features are so much finer
    /// than the schedule's last scale.
    package func quantize(_ features: Tensor, schedule: ScaleSchedule, flips: BitFlips? = nil) -> TokenMaps {
        configuration.quantizer(schedule).quantize(features, flips: flips)
    }

    /// The maps that bits [B, L, d] stand for: scale by scale, row by row.
    package func maps(bits: [UInt8], batch: Int, schedule: ScaleSchedule) -> TokenMaps {
        configuration.quantizer(schedule).maps(bits: bits, batch: batch)
    }

    /// The summed codes of `features`, with the gradient of the sum passed to the features unchanged (straight-through;
    /// *ours*: the reference passes it through every scale's resizing and normalization; at pocket size, after 4,000
    /// pictures, that reaches 18.8 dB where this reaches 19.0).
    package func straightThrough(_ features: Variable, schedule: ScaleSchedule) -> Variable {
        let difference = quantize(features.value, schedule: schedule).sum.copy()
        difference.accumulate(features.value, scale: -1)
        return features + Variable(difference)
    }
}
