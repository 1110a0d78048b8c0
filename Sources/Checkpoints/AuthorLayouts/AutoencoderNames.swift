/// The autoencoder of latent diffusion as CompVis's code names it, which all authors use, and as diffusers does.
enum AutoencoderNames {
    /// A weight under diffusers' name, of `levels`.
    static func renamed(_ name: String, levels: Int) -> String {
        var words = name.split(separator: ".").map(String.init)
        guard words.count > 3, words[0] == "encoder" || words[0] == "decoder" else { return withNorm(name) }
        switch (words[1], words[2]) {
        case ("mid", "block_1"): words[1...2] = ["mid_block", "resnets", "0"]
        case ("mid", "block_2"): words[1...2] = ["mid_block", "resnets", "1"]
        case ("mid", _): words[1...3] = ["mid_block", "attentions", "0", attention[words[3]] ?? words[3]]
        case ("down", let level): words[1...2] = ["down_blocks", level]
        case ("up", let level): words[1...2] = ["up_blocks", String(levels - 1 - (Int(level) ?? 0))]
        default: break
        }
        if let block = words.firstIndex(of: "block") { words[block] = "resnets" }
        if let shortcut = words.firstIndex(of: "nin_shortcut") { words[shortcut] = "conv_shortcut" }
        for (theirs, ours) in [("downsample", "downsamplers"), ("upsample", "upsamplers")] {
            if let place = words.firstIndex(of: theirs) {
                words.replaceSubrange(place...place, with: [ours, "0"])
            }
        }
        return words.joined(separator: ".")
    }

    private static let attention = [
        "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]

    private static func withNorm(_ name: String) -> String {
        for half in ["encoder", "decoder"] where name.hasPrefix("\(half).norm_out.") {
            return "\(half).conv_norm_out." + name.dropFirst("\(half).norm_out.".count)
        }
        return name
    }
}
