/// What the author's checkpoints of Stable Diffusion (Stability-AI/generative-models) call the parts that diffusers
/// gives other names.
package enum SGMNames {
    /// Prefixes of a U-Net's parts and their names in diffusers, by the network's sizes.
    package static func unet(_ c: UNet.Configuration) -> [(sgm: String, diffusers: String)] {
        var pairs = [
            ("time_embed.0", "time_embedding.linear_1"), ("time_embed.2", "time_embedding.linear_2"),
            ("label_emb.0.0", "add_embedding.linear_1"), ("label_emb.0.2", "add_embedding.linear_2"),
            ("input_blocks.0.0", "conv_in"), ("out.0", "conv_norm_out"), ("out.2", "conv_out"),
            ("middle_block.0", "mid_block.resnets.0"), ("middle_block.1", "mid_block.attentions.0"),
            ("middle_block.2", "mid_block.resnets.1"),
        ]
        var index = 1
        for level in c.channels.indices {
            for block in 0..<c.blocksPerLevel {
                pairs.append(("input_blocks.\(index).0", "down_blocks.\(level).resnets.\(block)"))
                if c.attendsDown[level] {
                    pairs.append(("input_blocks.\(index).1", "down_blocks.\(level).attentions.\(block)"))
                }
                index += 1
            }
            guard level < c.channels.count - 1 else { continue }
            pairs.append(("input_blocks.\(index).0.op", "down_blocks.\(level).downsamplers.0.conv"))
            index += 1
        }
        index = 0
        for level in c.channels.indices {
            for block in 0...c.blocksPerLevel {
                pairs.append(("output_blocks.\(index).0", "up_blocks.\(level).resnets.\(block)"))
                if c.attendsUp[level] {
                    pairs.append(("output_blocks.\(index).1", "up_blocks.\(level).attentions.\(block)"))
                }
                if block == c.blocksPerLevel, level < c.channels.count - 1 {
                    let place = c.attendsUp[level] ? 2 : 1
                    pairs.append(("output_blocks.\(index).\(place).conv", "up_blocks.\(level).upsamplers.0.conv"))
                }
                index += 1
            }
        }
        return pairs.map { (sgm: $0.0, diffusers: $0.1) }
    }

    /// Parts of a residual block.
    package static let residual: [(sgm: String, diffusers: String)] = [
        ("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("emb_layers.1", "time_emb_proj"),
        ("out_layers.0", "norm2"), ("out_layers.3", "conv2"), ("skip_connection", "conv_shortcut"),
    ]

    /// A weight of the U-Net under diffusers' name; nil for one it does not have.
    static func unet(_ name: String, _ prefixes: [(sgm: String, diffusers: String)]) -> String? {
        let fitting = prefixes.filter { name.hasPrefix($0.sgm + ".") }
        guard let pair = fitting.max(by: { $0.sgm.count < $1.sgm.count }) else { return nil }
        let other = pair.diffusers
        let rest = String(name.dropFirst(pair.sgm.count + 1))
        guard other.contains(".resnets."),
            let part = residual.first(where: { rest.hasPrefix($0.sgm + ".") })
        else { return "\(other).\(rest)" }
        return "\(other).\(part.diffusers).\(rest.dropFirst(part.sgm.count + 1))"
    }

    /// A weight of the autoencoder under diffusers' name, of `levels`.
    static func autoencoder(_ name: String, levels: Int) -> String {
        var words = name.split(separator: ".").map(String.init)
        guard words.count > 3, words[0] == "encoder" || words[0] == "decoder" else {
            return name.replacingNormOut()
        }
        switch (words[1], words[2]) {
        case ("mid", "block_1"): words[1...2] = ["mid_block", "resnets", "0"]
        case ("mid", "block_2"): words[1...2] = ["mid_block", "resnets", "1"]
        case ("mid", _):
            let names = [
                "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
            ]
            words[1...3] = ["mid_block", "attentions", "0", names[words[3]] ?? words[3]]
        case ("down", let level): words[1...2] = ["down_blocks", level]
        case ("up", let level): words[1...2] = ["up_blocks", String(levels - 1 - (Int(level) ?? 0))]
        default: break
        }
        if let block = words.firstIndex(of: "block") { words[block] = "resnets" }
        if let shortcut = words.firstIndex(of: "nin_shortcut") { words[shortcut] = "conv_shortcut" }
        if let half = words.firstIndex(of: "downsample") {
            words.replaceSubrange(half...half, with: ["downsamplers", "0"])
        }
        if let double = words.firstIndex(of: "upsample") {
            words.replaceSubrange(double...double, with: ["upsamplers", "0"])
        }
        return words.joined(separator: ".").replacingNormOut()
    }

    /// Parts of OpenCLIP's text tower (mlfoundations/open_clip) and their names in transformers.
    static let openCLIP = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    ]
}

extension String {
    fileprivate func replacingNormOut() -> String {
        for half in ["encoder", "decoder"] where hasPrefix("\(half).norm_out.") {
            return "\(half).conv_norm_out." + dropFirst("\(half).norm_out.".count)
        }
        return self
    }
}
