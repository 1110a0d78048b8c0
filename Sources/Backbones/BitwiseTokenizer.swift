import Autograd
import Layers
import Tensors

/// Infinity's picture tokenizer (BSQ-VAE, infinity/models/bsq_vae/flux_vqgan.py): a convolutional encoder to d features per
/// position, multi-scale bits, and a decoder back.
package final class BitwiseTokenizer {
    package struct Configuration: Codable, Equatable, Sendable {
        package var baseChannels: Int
        package var encoderMultipliers: [Int]
        package var decoderMultipliers: [Int]
        package var residualBlocks: Int
        /// Bits per token, d.
        package var bits: Int
        /// Pixels per feature position on a side; a power of two.
        package var patchSize: Int
        /// Groups of the group norms; nil takes the reference's rule (32, or 24 where 32 does not divide the channels). Narrow models
        /// need fewer: with one channel a group the mean of every channel, and with it a picture's colours, is normalized away.
        package var groups: Int?

        package init(
            baseChannels: Int, encoderMultipliers: [Int], decoderMultipliers: [Int], residualBlocks: Int, bits: Int, patchSize: Int,
            groups: Int? = nil
        ) {
            self.groups = groups
            self.baseChannels = baseChannels
            self.encoderMultipliers = encoderMultipliers
            self.decoderMultipliers = decoderMultipliers
            self.residualBlocks = residualBlocks
            self.bits = bits
            self.patchSize = patchSize
        }

        /// How often the encoder halves.
        var halvings: Int { patchSize.trailingZeroBitCount }
    }

    package let configuration: Configuration
    private let encoder: PictureEncoder
    private let decoder: PictureDecoder

    package init(_ configuration: Configuration, _ weights: Weights) {
        self.configuration = configuration
        encoder = PictureEncoder(configuration, weights)
        decoder = PictureDecoder(configuration, weights)
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to features [B, d, H/patch, W/patch].
    package func features(_ pictures: Variable) -> Variable { encoder(pictures) }

    /// Summed codes [B, d, h, w] to pictures [B, 3, H, W], not clamped.
    package func decode(_ sum: Variable) -> Variable { decoder(sum) }

    package func quantize(_ features: Tensor, schedule: ScaleSchedule, flips: BitFlips? = nil) -> TokenMaps {
        BitwiseQuantizer(schedule: schedule, depth: configuration.bits).quantize(features, flips: flips)
    }

    package func maps(bits: [UInt8], batch: Int, schedule: ScaleSchedule) -> TokenMaps {
        BitwiseQuantizer(schedule: schedule, depth: configuration.bits).maps(bits: bits, batch: batch)
    }

    /// The summed codes of `features`, with the gradient of the sum passed to the features unchanged (straight-through;
    /// *ours*: the reference passes it through every scale's resizing and normalization, which for pocket sizes trains no better).
    package func straightThrough(_ features: Variable, schedule: ScaleSchedule) -> Variable {
        let difference = quantize(features.value, schedule: schedule).sum.copy()
        difference.accumulate(features.value, scale: -1)
        return features + Variable(difference)
    }
}

private func groupNorm(_ weights: Weights, _ name: String, _ channels: Int, _ groups: Int?) -> GroupNormLayer {
    GroupNormLayer(weights, "\(name).norm", channels: channels, groups: groups ?? (channels % 32 == 0 ? 32 : 24))
}

private func convolution(_ weights: Weights, _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1, padding: Convolution.Padding? = nil) -> ConvolutionLayer {
    ConvolutionLayer(weights, "\(name).conv", from: inputs, to: outputs, kernel: kernel, stride: stride, padding: padding)
}

/// x + conv(swish(norm(conv(swish(norm(x)))))), with a 1×1 convolution on the way around when the width changes.
private struct ResidualBlock {
    let norm1, norm2: GroupNormLayer
    let conv1, conv2: ConvolutionLayer
    let shortcut: ConvolutionLayer?

    init(_ weights: Weights, _ name: String, from inputs: Int, to outputs: Int, groups: Int?) {
        norm1 = groupNorm(weights, "\(name).norm1", inputs, groups)
        conv1 = convolution(weights, "\(name).conv1", inputs, outputs)
        norm2 = groupNorm(weights, "\(name).norm2", outputs, groups)
        conv2 = convolution(weights, "\(name).conv2", outputs, outputs)
        shortcut = inputs == outputs ? nil : convolution(weights, "\(name).nin_shortcut", inputs, outputs, kernel: 1)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        (shortcut?(x) ?? x) + conv2(norm2(conv1(norm1(x, swish: true)), swish: true))
    }
}

private struct PictureEncoder {
    private let entry, exit: ConvolutionLayer
    private let levels: [(blocks: [ResidualBlock], down: ConvolutionLayer?)]
    private let middle: [ResidualBlock]
    private let norm: GroupNormLayer

    init(_ c: BitwiseTokenizer.Configuration, _ weights: Weights) {
        entry = convolution(weights, "encoder.conv_in", 3, c.baseChannels)
        var channels = c.baseChannels
        levels = c.encoderMultipliers.enumerated().map { level, multiplier in
            let width = c.baseChannels * multiplier
            let blocks = (0..<c.residualBlocks).map { block in
                defer { channels = width }
                return ResidualBlock(weights, "encoder.down.\(level).block.\(block)", from: channels, to: width, groups: c.groups)
            }
            let down = level < c.halvings
                ? convolution(weights, "encoder.down.\(level).downsample.conv", width, width, stride: 2, padding: .bottomRight) : nil
            return (blocks, down)
        }
        middle = [1, 2].map { ResidualBlock(weights, "encoder.mid.block_\($0)", from: channels, to: channels, groups: c.groups) }
        norm = groupNorm(weights, "encoder.norm_out", channels, c.groups)
        exit = convolution(weights, "encoder.conv_out", channels, c.bits)
    }

    func callAsFunction(_ pictures: Variable) -> Variable {
        var x = entry(pictures)
        for level in levels {
            for block in level.blocks { x = block(x) }
            if let down = level.down { x = down(x) }
        }
        for block in middle { x = block(x) }
        return exit(norm(x, swish: true))
    }
}

private struct PictureDecoder {
    private let entry, exit: ConvolutionLayer
    private let middle: [ResidualBlock]
    /// From the coarsest level to the finest.
    private let levels: [(blocks: [ResidualBlock], up: ConvolutionLayer?)]
    private let norm: GroupNormLayer

    init(_ c: BitwiseTokenizer.Configuration, _ weights: Weights) {
        var channels = c.baseChannels * c.decoderMultipliers.last!
        entry = convolution(weights, "decoder.conv_in", c.bits, channels)
        middle = [1, 2].map { ResidualBlock(weights, "decoder.mid.block_\($0)", from: channels, to: channels, groups: c.groups) }
        levels = c.decoderMultipliers.indices.reversed().map { level in
            let width = c.baseChannels * c.decoderMultipliers[level]
            let blocks = (0...c.residualBlocks).map { block in
                defer { channels = width }
                return ResidualBlock(weights, "decoder.up.\(level).block.\(block)", from: channels, to: width, groups: c.groups)
            }
            let up = (1...max(c.halvings, 1)).contains(level) && c.halvings > 0
                ? convolution(weights, "decoder.up.\(level).upsample.conv", width, width) : nil
            return (blocks, up)
        }
        norm = groupNorm(weights, "decoder.norm_out", channels, c.groups)
        exit = convolution(weights, "decoder.conv_out", channels, 3)
    }

    func callAsFunction(_ sum: Variable) -> Variable {
        var x = entry(sum)
        for block in middle { x = block(x) }
        for level in levels {
            for block in level.blocks { x = block(x) }
            if let up = level.up { x = up(UpsampleNearest().apply([x])) }
        }
        return exit(norm(x, swish: true))
    }
}
