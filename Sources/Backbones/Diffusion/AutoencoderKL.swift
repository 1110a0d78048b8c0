import Autograd
import Layers
import Tensors

/// The autoencoder whose latents diffusion models paint in (Rombach et al., arXiv 2112.10752; diffusers'
/// AutoencoderKL): 4 channels for SDXL, 16 for SD3 and FLUX.
package final class AutoencoderKL {
    /// Its sizes, read and written as diffusers' `config.json`; what a file leaves out has diffusers' own default.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Channels of the levels, finest first; all but the last halve.
        package var channels: [Int]
        /// Residual blocks of a level; the decoder's levels have one more.
        var blocksPerLevel: Int
        /// Groups of the group norms.
        var groups: Int
        /// z.
        var latentChannels: Int
        /// What latents are multiplied by, after `shift` is taken off, before a diffusion model sees them.
        package var scale: Float
        /// What is taken off latents first; 0 of those that have none (SDXL).
        package var shift: Float
        /// Whether a 1×1 convolution stands between the encoder and the moments, and between latents and decoder.
        package var convolvesMoments, convolvesLatents: Bool
        /// Whether the middle attends over all positions.
        var middleAttends: Bool
        /// Pixels on a side that enter the first convolution as channels; the published models' is 1.
        package var pixelBlock: Int

        /// Where nothing is given, as Stable Diffusion's: 32 groups, both convolutions, a middle that attends.
        package init(
            channels: [Int], blocksPerLevel: Int, groups: Int = 32, latentChannels: Int, scale: Float,
            shift: Float = 0, convolvesMoments: Bool = true, convolvesLatents: Bool = true, middleAttends: Bool = true,
            pixelBlock: Int = 1
        ) {
            (self.channels, self.blocksPerLevel, self.groups) = (channels, blocksPerLevel, groups)
            (self.latentChannels, self.scale, self.shift) = (latentChannels, scale, shift)
            (self.convolvesMoments, self.convolvesLatents) = (convolvesMoments, convolvesLatents)
            (self.middleAttends, self.pixelBlock) = (middleAttends, pixelBlock)
        }

        /// Pixels of a latent on a side.
        package var patchSize: Int { pixelBlock << (channels.count - 1) }

        private enum CodingKeys: String, CodingKey {
            case channels = "block_out_channels"
            case blocksPerLevel = "layers_per_block"
            case groups = "norm_num_groups"
            case latentChannels = "latent_channels"
            case scale = "scaling_factor"
            case shift = "shift_factor"
            case convolvesMoments = "use_quant_conv"
            case convolvesLatents = "use_post_quant_conv"
            case middleAttends = "mid_block_add_attention"
            case pixelBlock = "pixel_block"
        }

        /// - Throws: `DecodingError` for a value of another type.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                channels: try keys.value(.channels, [64]), blocksPerLevel: try keys.value(.blocksPerLevel, 1),
                groups: try keys.value(.groups, 32), latentChannels: try keys.value(.latentChannels, 4),
                scale: try keys.value(.scale, 0.18215), shift: try keys.value(.shift, 0),
                convolvesMoments: try keys.value(.convolvesMoments, true),
                convolvesLatents: try keys.value(.convolvesLatents, true),
                middleAttends: try keys.value(.middleAttends, true), pixelBlock: try keys.value(.pixelBlock, 1))
        }
    }

    /// A normal distribution of latents at every position.
    package struct Moments {
        /// [B, z, h, w].
        package let mean: Variable
        /// ln σ², [B, z, h, w], within −30…20.
        package let logVariance: Variable

        /// mean + σ · noise, noise [B, z, h, w]; gradients reach both moments.
        package func sample(noise: Tensor) -> Variable {
            let deviation = ExponentialGain(limit: .infinity).apply([0.5 * logVariance])
            return mean + deviation * Variable(noise)
        }
    }

    /// Its sizes, and how latents are scaled; `patchSize` pixels on a side are one latent.
    package let configuration: Configuration
    private let encoder: PictureEncoder
    private let decoder: PictureDecoder
    private let afterEncoder, beforeDecoder: ConvolutionLayer?

    /// Weights are named as diffusers names them; `AutoencoderKL.named` brings older names to these.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        let moments = 2 * c.latentChannels
        let plan = PictureAutoencoderPlan(
            baseChannels: c.channels[0], encoderChannels: c.channels, decoderChannels: c.channels,
            residualBlocks: c.blocksPerLevel, pixelBlock: c.pixelBlock, encodedChannels: moments,
            latentChannels: c.latentChannels, halvings: c.channels.count - 1, groups: c.groups,
            middleAttends: c.middleAttends, names: .diffusers, weights: weights)
        encoder = PictureEncoder(plan)
        decoder = PictureDecoder(plan)
        afterEncoder =
            c.convolvesMoments ? ConvolutionLayer(weights, "quant_conv", from: moments, to: moments, kernel: 1) : nil
        beforeDecoder =
            c.convolvesLatents
            ? ConvolutionLayer(
                weights, "post_quant_conv", from: c.latentChannels, to: c.latentChannels, kernel: 1) : nil
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to the moments of their latents [B, z, H/patch, W/patch].
    package func encode(_ pictures: Variable) -> Moments {
        let encoded = encoder(pictures)
        let moments = afterEncoder?(encoded) ?? encoded
        let (batch, channels) = (moments.shape[0], configuration.latentChannels)
        let shape = [batch, channels, moments.shape[2], moments.shape[3]]
        let planes = moments.reshaped([batch, 2 * channels, shape[2] * shape[3]])
        let logVariance = Clamp(-30...20).apply([planes.tokens(channels..<2 * channels)])
        return Moments(
            mean: planes.tokens(0..<channels).reshaped(shape), logVariance: logVariance.reshaped(shape))
    }

    /// Latents [B, z, h, w], as the encoder gives them, to pictures [B, 3, H, W], not clamped.
    package func decode(_ latents: Variable) -> Variable { decoder(beforeDecoder?(latents) ?? latents) }

    /// Latents [B, z, h, w] as a diffusion model sees them: (x − shift) · scale.
    package func scaled(_ latents: Tensor) -> Tensor {
        let (scale, shift) = (configuration.scale, configuration.shift)
        return Tensor(latents.values.map { ($0 - shift) * scale }, shape: latents.shape)
    }

    /// A diffusion model's latents [B, z, h, w] as the decoder takes them: x / scale + shift.
    package func unscaled(_ latents: Tensor) -> Tensor {
        let (scale, shift) = (configuration.scale, configuration.shift)
        return Tensor(latents.values.map { $0 / scale + shift }, shape: latents.shape)
    }

    /// A checkpoint under today's names and shapes: older ones call attention's parts query, key, value and proj_attn,
    /// and store them as 1×1 convolutions [C, C, 1, 1].
    package static func named(_ tensors: [String: Tensor]) -> [String: Tensor] {
        let names = ["query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"]
        return Dictionary(
            uniqueKeysWithValues: tensors.map { name, tensor in
                guard name.contains(".attentions.") else { return (name, tensor) }
                var parts = name.split(separator: ".").map(String.init)
                let place = parts.count - 2
                parts[place] = names[parts[place]] ?? parts[place]
                let matrix = tensor.shape.count == 4 ? tensor.reshaped(Array(tensor.shape.prefix(2))) : tensor
                return (parts.joined(separator: "."), matrix)
            })
    }
}
