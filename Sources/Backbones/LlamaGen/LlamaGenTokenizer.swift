import Autograd
import Layers
import Tensors

/// LlamaGen's picture tokenizer (Sun et al., arXiv 2406.06525; tokenizer/tokenizer_image/vq_model.py): a VQGAN whose
/// coarsest level attends, and whose features and codes are compared on the unit sphere.
package final class LlamaGenTokenizer {
    /// Its sizes, read and written under the reference's names.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Channels of the first convolution, which the multipliers multiply.
        var baseChannels: Int
        /// Channel multipliers of the levels, finest first; all but the last halve.
        package var multipliers: [Int]
        /// Of a level; the decoder's levels have one more.
        var residualBlocks: Int
        /// z, what leaves the encoder and enters the decoder.
        var latentChannels: Int
        /// Rows of the codebook.
        package var codes: Int
        /// Width of a code.
        package var codeWidth: Int
        /// Whether features and codes are brought to length one before they are compared.
        package var normalizes: Bool
        /// Groups of the group norms.
        package var groups: Int
        /// Pixels on a side that enter the first convolution as channels; the published models' is 1.
        package var pixelBlock: Int

        /// Norms and pixel block are the published models' unless given.
        package init(
            baseChannels: Int, multipliers: [Int], residualBlocks: Int, latentChannels: Int, codes: Int, codeWidth: Int,
            normalizes: Bool = true, groups: Int = 32, pixelBlock: Int = 1
        ) {
            (self.baseChannels, self.multipliers, self.residualBlocks) = (baseChannels, multipliers, residualBlocks)
            (self.latentChannels, self.codes, self.codeWidth) = (latentChannels, codes, codeWidth)
            (self.normalizes, self.groups, self.pixelBlock) = (normalizes, groups, pixelBlock)
        }

        /// `vq_ds16_t2i.pt` and `vq_ds16_c2i.pt`.
        package static let vq16 = Configuration(
            baseChannels: 128, multipliers: [1, 1, 2, 2, 4], residualBlocks: 2, latentChannels: 256, codes: 16_384,
            codeWidth: 8)

        /// Pixels of a code on a side.
        package var patchSize: Int { pixelBlock << (multipliers.count - 1) }

        private enum CodingKeys: String, CodingKey {
            case baseChannels = "ch"
            case multipliers = "ch_mult"
            case residualBlocks = "num_res_blocks"
            case latentChannels = "z_channels"
            case codes = "codebook_size"
            case codeWidth = "codebook_embed_dim"
            case normalizes = "codebook_l2_norm"
            case groups = "norm_num_groups"
            case pixelBlock = "pixel_block"
        }

        /// What is left out is that of VQ-16.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let usual = Configuration.vq16
            self.init(
                baseChannels: try keys.value(.baseChannels, usual.baseChannels),
                multipliers: try keys.value(.multipliers, usual.multipliers),
                residualBlocks: try keys.value(.residualBlocks, usual.residualBlocks),
                latentChannels: try keys.value(.latentChannels, usual.latentChannels),
                codes: try keys.value(.codes, usual.codes), codeWidth: try keys.value(.codeWidth, usual.codeWidth),
                normalizes: try keys.value(.normalizes, usual.normalizes),
                groups: try keys.value(.groups, usual.groups),
                pixelBlock: try keys.value(.pixelBlock, usual.pixelBlock))
        }
    }

    /// Its sizes; `patchSize` pixels on a side are one code.
    package let configuration: Configuration
    private let encoder: PictureEncoder
    private let decoder: PictureDecoder
    private let beforeQuantizer, afterQuantizer: ConvolutionLayer
    /// The codebook as it is stored; the tokenizer's `indices` and `features` compare it at length one.
    package let quantizer: VectorQuantizer

    /// Weights are named as in the published checkpoints.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        let channels = c.multipliers.map { $0 * c.baseChannels }
        let plan = PictureAutoencoderPlan(
            baseChannels: c.baseChannels, encoderChannels: channels, decoderChannels: channels,
            residualBlocks: c.residualBlocks, pixelBlock: c.pixelBlock, latentChannels: c.latentChannels,
            halvings: c.multipliers.count - 1, groups: c.groups, middleAttends: true,
            attendingLevels: [c.multipliers.count - 1], names: .llamaGen, weights: weights)
        encoder = PictureEncoder(plan)
        decoder = PictureDecoder(plan)
        quantizer = VectorQuantizer(weights, "quantize.embedding", codes: c.codes, width: c.codeWidth)
        beforeQuantizer = ConvolutionLayer(weights, "quant_conv", from: c.latentChannels, to: c.codeWidth, kernel: 1)
        afterQuantizer = ConvolutionLayer(
            weights, "post_quant_conv", from: c.codeWidth, to: c.latentChannels, kernel: 1)
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to what is quantized [B, e, h, w], not yet of length one.
    package func features(_ pictures: Variable) -> Variable { beforeQuantizer(encoder(pictures)) }

    /// Features [B, e, h, w] of length one over the channels, where the model compares them so.
    package func normalized(_ features: Variable) -> Variable {
        guard configuration.normalizes else { return features }
        return NormalizeRows().apply([features.tokensOfMap])
            .mapOfTokens(height: features.shape[2], width: features.shape[3])
    }

    /// The nearest code of every position of `features` [B, e, h, w]: [B · h · w], row by row.
    package func indices(_ features: Variable) -> [Int32] {
        Recording.withoutGradients {
            VectorQuantizer(codebook: compared.value).indices(normalized(features.detached).value)
        }
    }

    /// The codes of `indices` [B · h · w] as features [B, e, h, w]; gradients reach the codebook.
    package func features(_ indices: [Int32], batch: Int, height: Int, width: Int) -> Variable {
        let rows = Gather(indices).apply([compared]).reshaped([batch, height * width, configuration.codeWidth])
        return rows.mapOfTokens(height: height, width: width)
    }

    /// The codebook [codes, e] as it is compared.
    private var compared: Variable {
        let table = quantizer.codebook.variable
        return configuration.normalizes ? NormalizeRows().apply([table]) : table
    }

    /// Quantized features [B, e, h, w] to pictures [B, 3, H, W], not clamped.
    package func decode(_ features: Variable) -> Variable { decoder(afterQuantizer(features)) }

    /// Codes of pictures [B, 3, H, W], each [h · w] row by row.
    package func codes(_ pictures: Tensor) -> [[Int32]] {
        let map: Variable = Recording.withoutGradients { self.features(Variable(pictures)) }
        let found = indices(map)
        let each = map.shape[2] * map.shape[3]
        return (0..<pictures.shape[0]).map { Array(found[$0 * each..<($0 + 1) * each]) }
    }

    /// Pictures of codes, each [height · width] row by row; [B, 3, H, W], not clamped.
    package func decode(_ codes: [[Int32]], height: Int, width: Int) -> Tensor {
        Recording.withoutGradients {
            decode(features(codes.flatMap { $0 }, batch: codes.count, height: height, width: width)).value
        }
    }
}
