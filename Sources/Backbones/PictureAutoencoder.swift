import Autograd
import Layers
import Tensors

/// The convolutional halves that picture tokenizers of the VQGAN family share (Esser et al., arXiv 2012.09841), by
/// numbers and by how their checkpoints name things.
struct PictureAutoencoderPlan {
    /// Channels that enter the encoder's finest level.
    let baseChannels: Int
    /// Channels of the levels, finest first.
    let encoderChannels: [Int]
    let decoderChannels: [Int]
    let residualBlocks: Int
    /// Pixels on a side that enter the first convolution as channels and leave the last one so (space to depth); the
    /// references' is 1.
    let pixelBlock: Int
    /// Channels that leave the encoder, when not those that enter the decoder.
    var encodedChannels: Int?
    /// Channels that enter the decoder.
    let latentChannels: Int
    /// How often the encoder halves.
    let halvings: Int
    /// Groups of the group norms; nil is 32, or 24 where 32 does not divide the channels.
    let groups: Int?
    /// Whether the middle attends over all positions.
    let middleAttends: Bool
    /// The levels that attend after each of their residual blocks, counted from the finest.
    var attendingLevels: Set<Int> = []
    let names: PictureNames
    let weights: Weights

    /// Colour values at a position of the finest level.
    fileprivate var pixelChannels: Int { 3 * pixelBlock * pixelBlock }

    fileprivate func norm(_ name: String, _ channels: Int) -> GroupNormLayer {
        GroupNormLayer(
            weights, names.norm(name), channels: channels,
            groups: groups ?? (channels % 32 == 0 ? 32 : 24))
    }

    fileprivate func convolution(
        _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1,
        padding: Convolution.Padding? = nil
    ) -> ConvolutionLayer {
        ConvolutionLayer(
            weights, names.convolution(name), from: inputs, to: outputs, kernel: kernel, stride: stride,
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
        shortcut =
            inputs == outputs ? nil : plan.convolution("\(name).\(plan.names.shortcut)", inputs, outputs, kernel: 1)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        (shortcut?(x) ?? x) + conv2(norm2(conv1(norm1(x, swish: true)), swish: true))
    }
}

/// x + attention over all positions, with one head.
private struct AttentionBlock {
    let norm: GroupNormLayer
    let query, key, value, output: PositionwiseMap

    init(_ plan: PictureAutoencoderPlan, _ name: String, channels: Int) {
        norm = plan.norm("\(name).\(plan.names.attentionNorm)", channels)
        func projection(_ part: String) -> PositionwiseMap {
            let name = "\(name).\(part)"
            return plan.names == .diffusers
                ? .linear(LinearLayer(plan.weights, name, from: channels, to: channels))
                : .convolution(plan.convolution(name, channels, channels, kernel: 1))
        }
        let names = plan.names.projections
        (query, key, value, output) =
            (projection(names.0), projection(names.1), projection(names.2), projection(names.3))
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let h = norm(x)
        let attended = Attention(heads: 1, layout: .separate, logitScale: 1 / Float(x.shape[1]).squareRoot())
            .apply([query.tokens(h), key.tokens(h), value.tokens(h)])
        return x + output.map(attended, height: x.shape[2], width: x.shape[3])
    }
}

/// Two residual blocks, with attention between them where the plan has it.
private struct MiddleBlocks {
    let first, second: ResidualBlock
    let attention: AttentionBlock?

    /// `half` is encoder or decoder.
    init(_ plan: PictureAutoencoderPlan, half: String, channels: Int) {
        let names = plan.names.middle(half)
        first = ResidualBlock(plan, names.first, from: channels, to: channels)
        attention = plan.middleAttends ? AttentionBlock(plan, names.attention, channels: channels) : nil
        second = ResidualBlock(plan, names.second, from: channels, to: channels)
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let x = first(x)
        return second(attention?(x) ?? x)
    }
}

/// The residual blocks of one resolution, each with attention after it where the level attends.
private struct Level {
    private var blocks: [(residual: ResidualBlock, attention: AttentionBlock?)] = []
    /// What halves or doubles the map afterwards, if anything.
    let resampling: ConvolutionLayer?

    init(
        _ plan: PictureAutoencoderPlan, _ name: String, from inputs: Int, to outputs: Int, blocks count: Int,
        attends: Bool, resampling: () -> ConvolutionLayer?
    ) {
        for index in 0..<count {
            let residual = ResidualBlock(
                plan, plan.names.block(name, index), from: index == 0 ? inputs : outputs, to: outputs)
            let attention =
                attends ? AttentionBlock(plan, plan.names.attention(name, index), channels: outputs) : nil
            blocks.append((residual, attention))
        }
        self.resampling = resampling()
    }

    /// x [B, inputs, H, W] → [B, outputs, H, W]; resampling is left to the caller.
    func callAsFunction(_ x: Variable) -> Variable {
        blocks.reduce(x) { x, block in
            let y = block.residual(x)
            return block.attention?(y) ?? y
        }
    }
}

/// Pictures [B, 3, H, W] to latents [B, z, H/2ⁿ, W/2ⁿ]. Weights are named `encoder.…`.
struct PictureEncoder {
    private let pixelBlock: Int
    private let entry, exit: ConvolutionLayer
    private let levels: [Level]
    private let middle: MiddleBlocks
    private let norm: GroupNormLayer

    init(_ plan: PictureAutoencoderPlan) {
        let names = plan.names
        pixelBlock = plan.pixelBlock
        entry = plan.convolution("encoder.conv_in", plan.pixelChannels, plan.baseChannels)
        var channels = plan.baseChannels
        levels = plan.encoderChannels.enumerated().map { level, width in
            let name = names.encoderLevel(level)
            defer { channels = width }
            return Level(
                plan, name, from: channels, to: width, blocks: plan.residualBlocks,
                attends: plan.attendingLevels.contains(level)
            ) {
                guard level < plan.halvings else { return nil }
                return plan.convolution(names.downsampling(name), width, width, stride: 2, padding: .bottomRight)
            }
        }
        middle = MiddleBlocks(plan, half: "encoder", channels: channels)
        norm = plan.norm("encoder.\(names.exitNorm)", channels)
        exit = plan.convolution("encoder.conv_out", channels, plan.encodedChannels ?? plan.latentChannels)
    }

    func callAsFunction(_ pictures: Variable) -> Variable {
        var x = entry(pixelBlock == 1 ? pictures : SpaceToDepth(pixelBlock).apply([pictures]))
        for level in levels {
            x = level(x)
            if let down = level.resampling { x = down(x) }
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
    private let levels: [Level]
    private let norm: GroupNormLayer

    init(_ plan: PictureAutoencoderPlan) {
        let names = plan.names
        pixelBlock = plan.pixelBlock
        let coarsest = plan.decoderChannels.count - 1
        var channels = plan.decoderChannels[coarsest]
        entry = plan.convolution("decoder.conv_in", plan.latentChannels, channels)
        middle = MiddleBlocks(plan, half: "decoder", channels: channels)
        levels = plan.decoderChannels.indices.reversed().map { level in
            let width = plan.decoderChannels[level]
            let name = names.decoderLevel(level, of: plan.decoderChannels.count)
            defer { channels = width }
            return Level(
                plan, name, from: channels, to: width, blocks: plan.residualBlocks + 1,
                attends: plan.attendingLevels.contains(level)
            ) {
                guard level > 0, level <= plan.halvings else { return nil }
                return plan.convolution(names.upsampling(name), width, width)
            }
        }
        norm = plan.norm("decoder.\(names.exitNorm)", channels)
        exit = plan.convolution("decoder.conv_out", channels, plan.pixelChannels)
    }

    func callAsFunction(_ latents: Variable) -> Variable {
        var x = middle(entry(latents))
        for level in levels {
            x = level(x)
            if let up = level.resampling { x = up(UpsampleNearest().apply([x])) }
        }
        let pixels = exit(norm(x, swish: true))
        return pixelBlock == 1 ? pixels : DepthToSpace(pixelBlock).apply([pixels])
    }
}
