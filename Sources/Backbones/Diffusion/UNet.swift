import Autograd
import Layers
import Tensors

/// Stable Diffusion XL's network (Podell et al., arXiv 2307.01952; diffusers' UNet2DConditionModel): a U-Net of
/// residual blocks and transformers that attend to the text, conditioned on the time step, a pooled text and the
/// picture's sizes. Without the last two it is Stable Diffusion's earlier network.
package final class UNet {
    /// Its sizes; latents of any height and width go through, odd ones too.
    package let configuration: Configuration
    private let time: ConditionLayer
    private let addition: ConditionLayer?
    private let entry, exit: ConvolutionLayer
    private let down, up: [UNetLevel]
    private let middle: UNetMiddle
    private let exitNorm: GroupNormLayer

    /// Weights are named as diffusers names them.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        let plan = UNetPlan(configuration: c, weights: weights)
        entry = ConvolutionLayer(weights, "conv_in", from: c.latentChannels, to: c.channels[0], kernel: 3)
        time = ConditionLayer(weights, "time_embedding", from: c.channels[0], to: c.conditionWidth)
        addition = c.additionWidth.map {
            ConditionLayer(weights, "add_embedding", from: $0, to: c.conditionWidth)
        }
        down = c.channels.indices.map { UNetLevel(plan, downward: $0) }
        middle = UNetMiddle(plan)
        up = c.channels.indices.map { UNetLevel(plan, upward: $0) }
        exitNorm = GroupNormLayer(
            weights, "conv_norm_out", channels: c.channels[0], groups: c.groups, epsilon: c.epsilon)
        exit = ConvolutionLayer(weights, "conv_out", from: c.channels[0], to: c.outputChannels, kernel: 3)
    }

    /// Noisy latents [B, z, H, W], time steps [B] of 0…1000, text tokens [B, T, D] and, where the model reads them,
    /// pooled texts [B, P] with the sizes [B][6] (original, corner of the crop and target, each height before width) →
    /// what the model predicts, [B, z, H, W].
    package func callAsFunction(
        _ latents: Variable, timesteps: [Float], text: Variable, pooled: Variable? = nil, sizes: [[Float]] = []
    ) -> Variable {
        let context = UNetContext(
            condition: condition(timesteps: timesteps, pooled: pooled, sizes: sizes), text: text,
            recomputes: configuration.recomputes(
                samples: latents.shape[0], height: latents.shape[2], width: latents.shape[3]))
        var x = entry(latents)
        var skips = [x]
        for level in down {
            for block in level.blocks {
                x = block(x, context)
                skips.append(x)
            }
            guard let half = level.resampling else { continue }
            x = half(x)
            skips.append(x)
        }
        x = middle(x, context)
        for level in up {
            for block in level.blocks { x = block(joined(x, skips.removeLast()), context) }
            if let double = level.resampling, let next = skips.last { x = double(doubled(x, like: next)) }
        }
        return exit(exitNorm(x, swish: true))
    }

    /// [B, conditionWidth], activated (SiLU) as every block reads it.
    private func condition(timesteps: [Float], pooled: Variable?, sizes: [[Float]]) -> Variable {
        let c = configuration
        let condition = time(Variable(Sinusoid.features(timesteps, width: c.channels[0])))
        guard let addition else { return SiLU().apply([condition]) }
        precondition(
            pooled != nil && sizes.count == timesteps.count,
            "this network needs pooled texts and the sizes of every picture")
        let numbers = Sinusoid.features(sizes.flatMap { $0 }, width: c.sizeWidth)
        let features = Variable(numbers.reshaped([sizes.count, numbers.count / sizes.count]))
        return SiLU().apply([condition + addition(JoinColumns().apply([pooled!, features]))])
    }

    /// [B, C1, H, W] and [B, C2, H, W] → [B, C1 + C2, H, W].
    private func joined(_ x: Variable, _ skip: Variable) -> Variable {
        let (height, width) = (x.shape[2], x.shape[3])
        let planes = [x, skip].map { $0.reshaped([$0.shape[0], $0.shape[1], height * width]) }
        return Concatenate().apply(planes)
            .reshaped([x.shape[0], x.shape[1] + skip.shape[1], height, width])
    }

    /// x [B, C, h, w] twice as large, less the last row or column where the skip's size is odd.
    private func doubled(_ x: Variable, like skip: Variable) -> Variable {
        let y = UpsampleNearest().apply([x])
        guard y.shape[2] != skip.shape[2] || y.shape[3] != skip.shape[3] else { return y }
        return CropMap(height: skip.shape[2], width: skip.shape[3]).apply([y])
    }
}

/// What the parts of a U-Net are made from.
struct UNetPlan {
    let configuration: UNet.Configuration
    let weights: Weights

    /// A residual block, and a transformer of `depth` blocks after it; none where that is nil.
    func block(_ name: String, _ index: Int, level: Int, from inputs: Int, depth: Int?) -> UNetBlock {
        let width = configuration.channels[level]
        return UNetBlock(
            residual: UNetResidual(self, "\(name).resnets.\(index)", from: inputs, to: width),
            transformer: depth.map { UNetTransformer(self, "\(name).attentions.\(index)", level: level, depth: $0) })
    }
}

/// What all blocks read beside their maps.
struct UNetContext {
    /// Of the time step, the pooled text and the sizes, activated [B, D].
    let condition: Variable
    /// [B, T, D].
    let text: Variable
    /// Whether learning computes blocks once more, and keeps what they read alone until then.
    let recomputes: Bool
}

/// A residual block, with a transformer after it where its level attends.
struct UNetBlock {
    let residual: UNetResidual
    let transformer: UNetTransformer?

    /// x [B, inputs, H, W] → [B, outputs, H, W].
    func callAsFunction(_ x: Variable, _ context: UNetContext) -> Variable {
        let y = residual(x, context)
        return transformer?(y, context) ?? y
    }
}

/// The blocks of one resolution, and what halves or doubles the map afterwards.
struct UNetLevel {
    let blocks: [UNetBlock]
    let resampling: ConvolutionLayer?

    /// The level `level` on the way down, counted from the finest.
    init(_ plan: UNetPlan, downward level: Int) {
        let c = plan.configuration
        let name = "down_blocks.\(level)"
        let width = c.channels[level]
        let before = level == 0 ? c.channels[0] : c.channels[level - 1]
        blocks = c.downDepths(of: level).enumerated().map { block, depth in
            plan.block(name, block, level: level, from: block == 0 ? before : width, depth: depth)
        }
        resampling =
            level == c.channels.count - 1
            ? nil
            : ConvolutionLayer(
                plan.weights, "\(name).downsamplers.0.conv", from: width, to: width, kernel: 3, stride: 2,
                padding: .around(1))
    }

    /// The level `index` on the way up, counted from the coarsest. Every block reads a map of the way down beside the
    /// last one's.
    init(_ plan: UNetPlan, upward index: Int) {
        let c = plan.configuration
        let last = c.channels.count - 1
        let level = last - index
        let name = "up_blocks.\(index)"
        let width = c.channels[level]
        let before = c.channels[min(level + 1, last)]
        let finer = c.channels[max(level - 1, 0)]
        blocks = c.upDepths(of: index).enumerated().map { block, depth in
            let skip = block == c.blocksPerLevel ? finer : width
            return plan.block(name, block, level: level, from: (block == 0 ? before : width) + skip, depth: depth)
        }
        resampling =
            level == 0
            ? nil : ConvolutionLayer(plan.weights, "\(name).upsamplers.0.conv", from: width, to: width, kernel: 3)
    }
}

/// The blocks at the coarsest resolution between the two ways: a residual block, a transformer and another residual
/// block, or less.
struct UNetMiddle {
    private let blocks: [UNetBlock]

    init(_ plan: UNetPlan) {
        let level = plan.configuration.channels.count - 1
        let width = plan.configuration.channels[level]
        blocks = plan.configuration.middleDepths.enumerated().map { block, depth in
            plan.block("mid_block", block, level: level, from: width, depth: depth)
        }
    }

    /// x [B, C, H, W] → [B, C, H, W].
    func callAsFunction(_ x: Variable, _ context: UNetContext) -> Variable { blocks.reduce(x) { $1($0, context) } }
}

/// x + conv(swish(norm(conv(swish(norm(x))) + condition))), with a 1×1 convolution on the way around when the width
/// changes.
struct UNetResidual {
    private let norm1, norm2: GroupNormLayer
    private let conv1, conv2: ConvolutionLayer
    private let condition: LinearLayer
    private let shortcut: ConvolutionLayer?

    init(_ plan: UNetPlan, _ name: String, from inputs: Int, to outputs: Int) {
        let (c, weights) = (plan.configuration, plan.weights)
        func norm(_ part: String, _ channels: Int) -> GroupNormLayer {
            GroupNormLayer(weights, "\(name).\(part)", channels: channels, groups: c.groups, epsilon: c.epsilon)
        }
        func convolution(_ part: String, _ inputs: Int, kernel: Int) -> ConvolutionLayer {
            ConvolutionLayer(weights, "\(name).\(part)", from: inputs, to: outputs, kernel: kernel)
        }
        norm1 = norm("norm1", inputs)
        conv1 = convolution("conv1", inputs, kernel: 3)
        condition = LinearLayer(weights, "\(name).time_emb_proj", from: c.conditionWidth, to: outputs)
        norm2 = norm("norm2", outputs)
        conv2 = convolution("conv2", outputs, kernel: 3)
        shortcut = inputs == outputs ? nil : convolution("conv_shortcut", inputs, kernel: 1)
    }

    /// x [B, inputs, H, W] → [B, outputs, H, W].
    func callAsFunction(_ x: Variable, _ context: UNetContext) -> Variable {
        let added = recomputed([x, context.condition], where: context.recomputes) {
            change(of: $0[0], condition: $0[1])
        }
        return (shortcut?(x) ?? x) + added
    }

    /// x [B, inputs, H, W], activated condition [B, D] → what is added to it, [B, outputs, H, W].
    private func change(of x: Variable, condition activated: Variable) -> Variable {
        let h = AddToChannels().apply([conv1(norm1(x, swish: true)), condition(activated)])
        return conv2(norm2(h, swish: true))
    }
}
