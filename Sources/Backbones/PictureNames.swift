/// How checkpoints of picture autoencoders name the same parts.
enum PictureNames {
    /// CompVis's latent diffusion and taming transformers: `down.0.block.0.conv1`.
    case latentDiffusion
    /// The same with a layer's weights one name deeper, as `conv1.conv.weight`: Infinity.
    case nested
    /// LlamaGen: `conv_blocks.0.res.0.conv1`, levels of the decoder counted from the coarsest.
    case llamaGen
    /// diffusers: `down_blocks.0.resnets.0.conv1`, attention by linear layers.
    case diffusers

    func norm(_ name: String) -> String { self == .nested ? "\(name).norm" : name }
    func convolution(_ name: String) -> String { self == .nested ? "\(name).conv" : name }

    /// The 1×1 convolution around a residual block.
    var shortcut: String { self == .diffusers ? "conv_shortcut" : "nin_shortcut" }
    var exitNorm: String { self == .diffusers ? "conv_norm_out" : "norm_out" }
    var attentionNorm: String { self == .diffusers ? "group_norm" : "norm" }
    /// Query, key, value and output of attention.
    var projections: (String, String, String, String) {
        self == .diffusers ? ("to_q", "to_k", "to_v", "to_out.0") : ("q", "k", "v", "proj_out")
    }

    /// The residual blocks around the middle's attention, and it.
    func middle(_ half: String) -> (first: String, attention: String, second: String) {
        switch self {
        case .latentDiffusion, .nested: ("\(half).mid.block_1", "\(half).mid.attn_1", "\(half).mid.block_2")
        case .llamaGen: ("\(half).mid.0", "\(half).mid.1", "\(half).mid.2")
        case .diffusers:
            ("\(half).mid_block.resnets.0", "\(half).mid_block.attentions.0", "\(half).mid_block.resnets.1")
        }
    }

    /// A level of the encoder, counted from the finest.
    func encoderLevel(_ level: Int) -> String {
        switch self {
        case .latentDiffusion, .nested: "encoder.down.\(level)"
        case .llamaGen: "encoder.conv_blocks.\(level)"
        case .diffusers: "encoder.down_blocks.\(level)"
        }
    }

    /// A level of the decoder, counted from the finest of `levels`.
    func decoderLevel(_ level: Int, of levels: Int) -> String {
        switch self {
        case .latentDiffusion, .nested: "decoder.up.\(level)"
        case .llamaGen: "decoder.conv_blocks.\(levels - 1 - level)"
        case .diffusers: "decoder.up_blocks.\(levels - 1 - level)"
        }
    }

    /// A level's residual block.
    func block(_ level: String, _ index: Int) -> String {
        switch self {
        case .latentDiffusion, .nested: "\(level).block.\(index)"
        case .llamaGen: "\(level).res.\(index)"
        case .diffusers: "\(level).resnets.\(index)"
        }
    }

    /// Attention after a level's residual block.
    func attention(_ level: String, _ index: Int) -> String {
        self == .diffusers ? "\(level).attentions.\(index)" : "\(level).attn.\(index)"
    }

    func downsampling(_ level: String) -> String {
        self == .diffusers ? "\(level).downsamplers.0.conv" : "\(level).downsample.conv"
    }

    func upsampling(_ level: String) -> String {
        self == .diffusers ? "\(level).upsamplers.0.conv" : "\(level).upsample.conv"
    }
}
