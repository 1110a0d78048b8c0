import Autograd
import Layers
import Tensors

/// The convolutional halves that picture tokenizers of the VQGAN family share (Esser et al., arXiv 2012.09841), by
/// numbers and by how their checkpoints name things.
struct PictureAutoencoderPlan {
    let baseChannels: Int
    let encoderMultipliers: [Int]
    let decoderMultipliers: [Int]
    let residualBlocks: Int
    /// Pixels on a side that enter the first convolution as channels and leave the last one so (space to depth); the
    /// references' is 1.
    let pixelBlock: Int
    /// Channels between encoder and decoder.
    let latentChannels: Int
    /// How often the encoder halves.
    let halvings: Int
    /// Groups of the group norms; nil is 32, or 24 where 32 does not divide the channels.
    let groups: Int?
    /// Whether the middle attends over all positions.
    let middleAttends: Bool
    /// Whether a layer's weights lie one name deeper, as `conv1.conv.weight`.
    let namesAreNested: Bool
    let weights: Weights

    /// Colour values at a position of the finest level.
    fileprivate var pixelChannels: Int { 3 * pixelBlock * pixelBlock }

    fileprivate func norm(_ name: String, _ channels: Int) -> GroupNormLayer {
        GroupNormLayer(
            weights, namesAreNested ? "\(name).norm" : name, channels: channels,
            groups: groups ?? (channels % 32 == 0 ? 32 : 24))
    }

    fileprivate func convolution(
        _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1,
        padding: Convolution.Padding? = nil
    ) -> ConvolutionLayer {
        ConvolutionLayer(
            weights, namesAreNested ? "\(name).conv" : name, from: inputs, to: outputs, kernel: kernel, stride: stride,
            padding: padding)
    }
}

/// x + conv(swish(norm(conv(swish(norm(x)))))), with a 1×1 convolution on the way around when the width changes.
private struct ResidualBlock {
    let norm1, norm2: GroupNormLayer
    let conv1, conv2: ConvolutionLayer
    let shortcut: ConvolutionLayer?

    init(_ plan: PictureAutoencoderPlan, _ name: String, from inputs: Int, to outputs: Int) {
        norm1 = plan.norm("\(name).norm1", inputs)
        conv1 = plan.convolution("\(name).conv1", inputs, outputs)
        norm2 = plan.norm("\(name).norm2", outputs)
        conv2 = plan.convolution("\(name).conv2", outputs, outputs)
        shortcut = inputs == outputs ? nil : plan.convolution("\(name).nin_shortcut", inputs, outputs, kernel: 1)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        (shortcut?(x) ?? x) + conv2(norm2(conv1(norm1(x, swish: true)), swish: true))
    }
}

/// x + attention over all positions, with one head.
private struct AttentionBlock {
    let norm: GroupNormLayer
    let query, key, value, output: ConvolutionLayer

    init(_ plan: PictureAutoencoderPlan, _ name: String, channels: Int) {
        norm = plan.norm("\(name).norm", channels)
        func pointwise(_ part: String) -> ConvolutionLayer {
            plan.convolution("\(name).\(part)", channels, channels, kernel: 1)
        }
        (query, key, value, output) = (pointwise("q"), pointwise("k"), pointwise("v"), pointwise("proj_out"))
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let h = norm(x)
        let (batch, channels, positions) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        func tokens(_ y: Variable) -> Variable { SwapPlanes().apply([y.reshaped([batch, channels, positions])]) }
        let attended = Attention(heads: 1, layout: .separate, logitScale: 1 / Float(channels).squareRoot())
            .apply([tokens(query(h)), tokens(key(h)), tokens(value(h))])
        return x + output(SwapPlanes().apply([attended]).reshaped(x.shape))
    }
}

/// Two residual blocks, with attention between them where the plan has it.
private struct MiddleBlocks {
    let first, second: ResidualBlock
    let attention: AttentionBlock?

    init(_ plan: PictureAutoencoderPlan, _ name: String, channels: Int) {
        first = ResidualBlock(plan, "\(name).block_1", from: channels, to: channels)
        attention = plan.middleAttends ? AttentionBlock(plan, "\(name).attn_1", channels: channels) : nil
        second = ResidualBlock(plan, "\(name).block_2", from: channels, to: channels)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let x = first(x)
        return second(attention?(x) ?? x)
    }
}

/// Pictures [B, 3, H, W] to latents [B, z, H/2ⁿ, W/2ⁿ]. Weights are named `encoder.…`.
struct PictureEncoder {
    private let pixelBlock: Int
    private let entry, exit: ConvolutionLayer
    private let levels: [(blocks: [ResidualBlock], down: ConvolutionLayer?)]
    private let middle: MiddleBlocks
    private let norm: GroupNormLayer

    init(_ plan: PictureAutoencoderPlan) {
        pixelBlock = plan.pixelBlock
        entry = plan.convolution("encoder.conv_in", plan.pixelChannels, plan.baseChannels)
        var channels = plan.baseChannels
        levels = plan.encoderMultipliers.enumerated().map { level, multiplier in
            let width = plan.baseChannels * multiplier
            let blocks = (0..<plan.residualBlocks).map { block in
                defer { channels = width }
                return ResidualBlock(plan, "encoder.down.\(level).block.\(block)", from: channels, to: width)
            }
            let down =
                level < plan.halvings
                ? plan.convolution(
                    "encoder.down.\(level).downsample.conv", width, width, stride: 2, padding: .bottomRight) : nil
            return (blocks, down)
        }
        middle = MiddleBlocks(plan, "encoder.mid", channels: channels)
        norm = plan.norm("encoder.norm_out", channels)
        exit = plan.convolution("encoder.conv_out", channels, plan.latentChannels)
    }

    func callAsFunction(_ pictures: Variable) -> Variable {
        var x = entry(pixelBlock == 1 ? pictures : SpaceToDepth(pixelBlock).apply([pictures]))
        for level in levels {
            for block in level.blocks { x = block(x) }
            if let down = level.down { x = down(x) }
        }
        return exit(norm(middle(x), swish: true))
    }
}

/// Latents [B, z, h, w] to pictures [B, 3, h·2ⁿ, w·2ⁿ], not clamped. Weights are named `decoder.…`.
struct PictureDecoder {
    private let pixelBlock: Int
    private let entry, exit: ConvolutionLayer
    private let middle: MiddleBlocks
    /// From the coarsest level to the finest.
    private let levels: [(blocks: [ResidualBlock], up: ConvolutionLayer?)]
    private let norm: GroupNormLayer

    init(_ plan: PictureAutoencoderPlan) {
        pixelBlock = plan.pixelBlock
        var channels = plan.baseChannels * plan.decoderMultipliers.last!
        entry = plan.convolution("decoder.conv_in", plan.latentChannels, channels)
        middle = MiddleBlocks(plan, "decoder.mid", channels: channels)
        levels = plan.decoderMultipliers.indices.reversed().map { level in
            let width = plan.baseChannels * plan.decoderMultipliers[level]
            let blocks = (0...plan.residualBlocks).map { block in
                defer { channels = width }
                return ResidualBlock(plan, "decoder.up.\(level).block.\(block)", from: channels, to: width)
            }
            let up =
                level > 0 && level <= plan.halvings
                ? plan.convolution("decoder.up.\(level).upsample.conv", width, width) : nil
            return (blocks, up)
        }
        norm = plan.norm("decoder.norm_out", channels)
        exit = plan.convolution("decoder.conv_out", channels, plan.pixelChannels)
    }

    func callAsFunction(_ latents: Variable) -> Variable {
        var x = middle(entry(latents))
        for level in levels {
            for block in level.blocks { x = block(x) }
            if let up = level.up { x = up(UpsampleNearest().apply([x])) }
        }
        let pixels = exit(norm(x, swish: true))
        return pixelBlock == 1 ? pixels : DepthToSpace(pixelBlock).apply([pixels])
    }
}
