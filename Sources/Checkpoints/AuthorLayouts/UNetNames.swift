/// The U-Net of Stable Diffusion XL as its authors' code names it (Stability-AI/generative-models), and as diffusers
/// does.
package enum UNetNames {
    /// What the names tell of a network's form.
    package struct Form: Sendable, Equatable {
        /// Residual blocks of a level on the way down; one more on the way up.
        package var blocksPerLevel: Int
        /// Whether each level attends on the way down (finest first), and on the way up (coarsest first).
        package var attendsDown, attendsUp: [Bool]

        /// - Precondition: both ways have as many levels.
        package init(blocksPerLevel: Int, attendsDown: [Bool], attendsUp: [Bool]) {
            (self.blocksPerLevel, self.attendsDown, self.attendsUp) = (blocksPerLevel, attendsDown, attendsUp)
        }

        /// Of a file's names, without the network's prefix.
        init(names: Set<String>) {
            func has(_ block: Int, _ part: String) -> Bool { names.contains("input_blocks.\(block).\(part)") }
            var (blocks, attends, inLevel): (Int, [Bool], Int) = (0, [false], 0)
            var block = 1
            while has(block, "0.op.weight") || has(block, "0.in_layers.0.weight") {
                if has(block, "0.op.weight") {
                    (blocks, inLevel) = (max(blocks, inLevel), 0)
                    attends.append(false)
                } else {
                    inLevel += 1
                    if has(block, "1.proj_in.weight") { attends[attends.count - 1] = true }
                }
                block += 1
            }
            blocksPerLevel = max(blocks, inLevel, 1)
            attendsDown = attends
            let step = blocksPerLevel + 1
            attendsUp = attends.indices.map { names.contains("output_blocks.\($0 * step).1.proj_in.weight") }
        }

        /// Of the names of a network's weights in diffusers.
        init(weights names: Set<String>) {
            func attends(_ way: String) -> [Bool] {
                (0..<names.count(after: way)).map { names.contains("\(way)\($0).attentions.0.proj_in.weight") }
            }
            self.init(
                blocksPerLevel: names.count(after: "down_blocks.0.resnets."), attendsDown: attends("down_blocks."),
                attendsUp: attends("up_blocks."))
        }

        /// The number among the input blocks of the first of a level's.
        package func firstBlock(of level: Int) -> Int { 1 + level * (blocksPerLevel + 1) }
    }

    /// Prefixes of the network's parts and their names in diffusers.
    package static func prefixes(_ form: Form) -> [(sgm: String, diffusers: String)] {
        outside + down(form) + up(form)
    }

    private static let outside = [
        (sgm: "time_embed.0", diffusers: "time_embedding.linear_1"), ("time_embed.2", "time_embedding.linear_2"),
        ("label_emb.0.0", "add_embedding.linear_1"), ("label_emb.0.2", "add_embedding.linear_2"),
        ("input_blocks.0.0", "conv_in"), ("out.0", "conv_norm_out"), ("out.2", "conv_out"),
        ("middle_block.0", "mid_block.resnets.0"), ("middle_block.1", "mid_block.attentions.0"),
        ("middle_block.2", "mid_block.resnets.1"),
    ]

    private static func down(_ form: Form) -> [(sgm: String, diffusers: String)] {
        form.attendsDown.indices.flatMap { level -> [(sgm: String, diffusers: String)] in
            let first = form.firstBlock(of: level)
            let blocks = (0..<form.blocksPerLevel).flatMap {
                block("input_blocks.\(first + $0)", "down_blocks.\(level)", $0, attends: form.attendsDown[level])
            }
            guard level < form.attendsDown.count - 1 else { return blocks }
            let last = "input_blocks.\(first + form.blocksPerLevel).0.op"
            return blocks + [(last, "down_blocks.\(level).downsamplers.0.conv")]
        }
    }

    /// A residual block, and attention behind it where its level attends.
    private static func block(
        _ theirs: String, _ level: String, _ number: Int, attends: Bool
    ) -> [(sgm: String, diffusers: String)] {
        let residual = [(sgm: "\(theirs).0", diffusers: "\(level).resnets.\(number)")]
        return attends ? residual + [("\(theirs).1", "\(level).attentions.\(number)")] : residual
    }

    private static func up(_ form: Form) -> [(sgm: String, diffusers: String)] {
        form.attendsUp.indices.flatMap { level -> [(sgm: String, diffusers: String)] in
            let first = level * (form.blocksPerLevel + 1)
            let blocks = (0...form.blocksPerLevel).flatMap {
                block("output_blocks.\(first + $0)", "up_blocks.\(level)", $0, attends: form.attendsUp[level])
            }
            guard level < form.attendsUp.count - 1 else { return blocks }
            let last = "output_blocks.\(first + form.blocksPerLevel).\(form.attendsUp[level] ? 2 : 1).conv"
            return blocks + [(last, "up_blocks.\(level).upsamplers.0.conv")]
        }
    }

    /// What the authors call a module of diffusers'; nil for one they do not have.
    package static func author(of module: String, _ prefixes: [(sgm: String, diffusers: String)]) -> String? {
        let fitting = prefixes.filter { module == $0.diffusers || module.hasPrefix($0.diffusers + ".") }
        guard let pair = fitting.max(by: { $0.diffusers.count < $1.diffusers.count }) else { return nil }
        let rest = String(module.dropFirst(pair.diffusers.count))
        let part = pair.diffusers.contains(".resnets.") ? residual.first { rest == "." + $0.diffusers } : nil
        return pair.sgm + (part.map { "." + $0.sgm } ?? rest)
    }

    /// The network of Stable Diffusion XL and of its descendants.
    private static let sdxl = Form(
        blocksPerLevel: 2, attendsDown: [false, true, true], attendsUp: [true, true, false])

    /// Stable Diffusion XL's form, where an adapter's modules tell that they are its. Nil where one lies outside of its
    /// blocks, or where the names do not tell that it has two a level: then they may be another network's.
    static func form(toldBy modules: [String]) -> Form? {
        let areOfTwo = modules.contains { $0.contains(#/^(down_blocks\.\d\.\w+\.1|up_blocks\.\d\.\w+\.2)\./#) }
        let areOfBlocks = modules.allSatisfy { $0.contains(#/^(down_blocks|mid_block|up_blocks)\./#) }
        return areOfTwo && areOfBlocks ? sdxl : nil
    }

    /// What the authors call an adapter's modules, by their names in diffusers; none where they do not have them all.
    static func authors(of modules: [String], _ form: Form) -> [String: String] {
        let prefixes = prefixes(form)
        let pairs = modules.compactMap { module in author(of: module, prefixes).map { (module, $0) } }
        return pairs.count == modules.count ? Dictionary(pairs) { first, _ in first } : [:]
    }

    /// Parts of a residual block.
    private static let residual: [(sgm: String, diffusers: String)] = [
        ("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("emb_layers.1", "time_emb_proj"),
        ("out_layers.0", "norm2"), ("out_layers.3", "conv2"), ("skip_connection", "conv_shortcut"),
    ]

    /// A weight under diffusers' name; nil for one it does not have.
    static func renamed(_ name: String, _ prefixes: [(sgm: String, diffusers: String)]) -> String? {
        let fitting = prefixes.filter { name.hasPrefix($0.sgm + ".") }
        guard let pair = fitting.max(by: { $0.sgm.count < $1.sgm.count }) else { return nil }
        let other = pair.diffusers
        let rest = String(name.dropFirst(pair.sgm.count + 1))
        guard other.contains(".resnets."),
            let part = residual.first(where: { rest.hasPrefix($0.sgm + ".") })
        else { return "\(other).\(rest)" }
        return "\(other).\(part.diffusers).\(rest.dropFirst(part.sgm.count + 1))"
    }
}
