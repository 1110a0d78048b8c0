import Autograd
import Images
import Layers
import Tensors

/// Chameleon's picture tokenizer, a VQGAN (Lumina-mGPT, chameleon_vae_ori/vqgan.py): pictures to a grid of codes and
/// back.
package final class ChameleonTokenizer {
    /// The VQGAN's sizes, read and written under these names.
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
        /// Groups of the group norms; the reference's 32 when nil, fewer where a level has fewer channels.
        package var groups: Int?
        /// Pixels on a side that enter the first convolution as channels; the reference's 1 when nil.
        package var pixelBlock: Int?
        /// Levels that attend after each of their residual blocks, counted from the finest; the reference's none when
        /// nil.
        package var attendingLevels: [Int]?
        /// The codebook's row of each code of the vocabulary, where that has them in another order.
        package var codeOrder: [Int32]?

        /// What is nil is the reference's.
        package init(
            baseChannels: Int, multipliers: [Int], residualBlocks: Int, latentChannels: Int, codes: Int, codeWidth: Int,
            groups: Int? = nil, pixelBlock: Int? = nil, attendingLevels: [Int]? = nil
        ) {
            self.baseChannels = baseChannels
            self.multipliers = multipliers
            self.residualBlocks = residualBlocks
            self.latentChannels = latentChannels
            self.codes = codes
            self.codeWidth = codeWidth
            self.groups = groups
            self.pixelBlock = pixelBlock
            self.attendingLevels = attendingLevels
        }

        /// Pixels of a code on a side.
        package var patchSize: Int { (pixelBlock ?? 1) << (multipliers.count - 1) }
    }

    /// Its sizes; `patchSize` pixels on a side are one code.
    package let configuration: Configuration
    /// By rows of the codebook: `codes` and `decode` translate where the vocabulary orders them otherwise.
    package let quantizer: VectorQuantizer
    private let encoder: PictureEncoder
    private let decoder: PictureDecoder
    private let beforeQuantizer, afterQuantizer: ConvolutionLayer

    /// Weights are named as in the reference's checkpoint, `vqgan.ckpt`.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        let channels = c.multipliers.map { $0 * c.baseChannels }
        let plan = PictureAutoencoderPlan(
            baseChannels: c.baseChannels, encoderChannels: channels, decoderChannels: channels,
            residualBlocks: c.residualBlocks, pixelBlock: c.pixelBlock ?? 1, latentChannels: c.latentChannels,
            halvings: c.multipliers.count - 1, groups: c.groups ?? 32, middleAttends: true,
            attendingLevels: Set(c.attendingLevels ?? []), names: .latentDiffusion, weights: weights)
        encoder = PictureEncoder(plan)
        decoder = PictureDecoder(plan)
        quantizer = VectorQuantizer(weights, "quantize.embedding", codes: c.codes, width: c.codeWidth)
        beforeQuantizer = ConvolutionLayer(weights, "quant_conv", from: c.latentChannels, to: c.codeWidth, kernel: 1)
        afterQuantizer = ConvolutionLayer(
            weights, "post_quant_conv", from: c.codeWidth, to: c.latentChannels, kernel: 1)
    }

    /// Pictures [B, 3, H, W] in [−1, 1] to the encoder's output [B, z, h, w].
    package func encoded(_ pictures: Variable) -> Variable { encoder(pictures) }

    /// The encoder's output [B, z, h, w] to what is quantized [B, e, h, w].
    package func features(ofEncoded encoded: Variable) -> Variable { beforeQuantizer(encoded) }

    /// Pictures [B, 3, H, W] in [−1, 1] to what is quantized [B, e, h, w].
    package func features(_ pictures: Variable) -> Variable { features(ofEncoded: encoded(pictures)) }

    /// Quantized features [B, e, h, w] to pictures [B, 3, H, W], not clamped.
    package func decode(_ features: Variable) -> Variable { decoder(afterQuantizer(features)) }

    /// Codes of pictures [B, 3, H, W], each [h · w] row by row.
    package func codes(_ pictures: Tensor) -> [[Int32]] {
        Recording.withoutGradients {
            let features = features(Variable(pictures)).value
            let positions = features.shape[2] * features.shape[3]
            let indices = numbered(quantizer.indices(features))
            return (0..<pictures.shape[0]).map { Array(indices[$0 * positions..<($0 + 1) * positions]) }
        }
    }

    /// The vocabulary's numbers of rows of the codebook.
    private func numbered(_ rows: [Int32]) -> [Int32] {
        guard let order = configuration.codeOrder else { return rows }
        let numbers = Dictionary(order.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        return rows.map { numbers[$0] ?? 0 }
    }

    /// The codebook's rows of the vocabulary's numbers.
    private func rows(_ codes: [Int32]) -> [Int32] {
        configuration.codeOrder.map { order in codes.map { order[Int($0)] } } ?? codes
    }

    /// Pictures of codes, each [height · width] row by row; [B, 3, H, W], not clamped.
    package func decode(_ codes: [[Int32]], height: Int, width: Int) -> Tensor {
        Recording.withoutGradients {
            decode(quantizer.features(rows(codes.flatMap { $0 }), batch: codes.count, height: height, width: width))
                .value
        }
    }
}
