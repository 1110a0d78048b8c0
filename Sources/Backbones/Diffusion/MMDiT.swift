import Autograd
import Glibc
import Layers
import Tensors

/// The transformer of Stable Diffusion 3 and 3.5 (Esser et al., arXiv 2403.03206; diffusers' SD3Transformer2DModel):
/// picture patches and text tokens in two streams that attend to each other, conditioned by adaLN on the time step and
/// a pooled text. It predicts noise − picture.
package final class MMDiT {
    /// Its sizes, read and written as diffusers' `config.json`.
    package struct Configuration: Codable, Equatable, Sendable {
        /// z, channels of the latents that are read.
        var latentChannels: Int
        /// Channels of what is predicted.
        package var outputChannels: Int
        /// Latents of a patch on a side.
        package var patchSize: Int
        /// Blocks, heads of attention, and channels of a head; heads · headWidth is C.
        package var depth, heads, headWidth: Int
        /// Width D of a text token, and P of the pooled text.
        package var textWidth, pooledWidth: Int
        /// Patches on a side of the table of positions, whose middle a picture takes.
        package var positionSide: Int
        /// Patches on a side at which positions count by ones: that of the picture size the table was made for.
        package var baseSide: Int
        /// Whether queries and keys are RMS-normed per head (3.5).
        package var normsHeads: Bool
        /// Blocks whose picture stream attends to itself once more (3.5 medium).
        package var dualBlocks: [Int]

        /// SD3's 16 channels, patches of two by two and heads of 64 channels unless given.
        package init(
            latentChannels: Int = 16, outputChannels: Int? = nil, patchSize: Int = 2, depth: Int, heads: Int,
            headWidth: Int = 64, textWidth: Int, pooledWidth: Int, positionSide: Int, baseSide: Int? = nil,
            normsHeads: Bool = false, dualBlocks: [Int] = []
        ) {
            (self.latentChannels, self.outputChannels) = (latentChannels, outputChannels ?? latentChannels)
            (self.patchSize, self.depth) = (patchSize, depth)
            (self.heads, self.headWidth, self.textWidth) = (heads, headWidth, textWidth)
            (self.pooledWidth, self.positionSide) = (pooledWidth, positionSide)
            (self.baseSide, self.normsHeads) = (baseSide ?? positionSide, normsHeads)
            self.dualBlocks = dualBlocks
        }

        /// C of a token, in both streams.
        package var width: Int { heads * headWidth }
        /// What divides the latents on a side, and how many of those there are positions for.
        var latentSides: (multiple: Int, most: Int?) { (patchSize, positionSide * patchSize) }
        var attention: AttentionSizes { AttentionSizes(heads: heads, headWidth: headWidth, normsHeads: normsHeads) }

        /// Whether learning computes blocks once more, by the tokens of a sample, in both streams.
        func recomputes(samples: Int, tokens: Int) -> Bool {
            BlockRecomputation.pays(rows: samples * tokens, width: width, depth: depth)
        }

        private enum CodingKeys: String, CodingKey {
            case latentChannels = "in_channels"
            case outputChannels = "out_channels"
            case patchSize = "patch_size"
            case depth = "num_layers"
            case heads = "num_attention_heads"
            case headWidth = "attention_head_dim"
            case textWidth = "joint_attention_dim"
            case pooledWidth = "pooled_projection_dim"
            case positionSide = "pos_embed_max_size"
            case sampleSize = "sample_size"
            case headNorm = "qk_norm"
            case dualBlocks = "dual_attention_layers"
        }

        /// What is left out has diffusers' own default, that of SD3 medium.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let patchSize = try keys.value(.patchSize, 2)
            self.init(
                latentChannels: try keys.value(.latentChannels, 16),
                outputChannels: try keys.decodeIfPresent(Int.self, forKey: .outputChannels),
                patchSize: patchSize, depth: try keys.value(.depth, 18),
                heads: try keys.value(.heads, 18), headWidth: try keys.value(.headWidth, 64),
                textWidth: try keys.value(.textWidth, 4096), pooledWidth: try keys.value(.pooledWidth, 2048),
                positionSide: try keys.value(.positionSide, 96),
                baseSide: try keys.value(.sampleSize, 128) / max(patchSize, 1),
                normsHeads: try keys.decodeIfPresent(String.self, forKey: .headNorm) == "rms_norm",
                dualBlocks: try keys.value(.dualBlocks, []))
        }

        /// `baseSide` is written as `sample_size`, in latents, and head norms as `qk_norm`, as diffusers has them.
        /// - Throws: what the encoder does.
        package func encode(to encoder: any Encoder) throws {
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encode(latentChannels, forKey: .latentChannels)
            try keys.encode(outputChannels, forKey: .outputChannels)
            try keys.encode(patchSize, forKey: .patchSize)
            try keys.encode(depth, forKey: .depth)
            try keys.encode(heads, forKey: .heads)
            try keys.encode(headWidth, forKey: .headWidth)
            try keys.encode(textWidth, forKey: .textWidth)
            try keys.encode(pooledWidth, forKey: .pooledWidth)
            try keys.encode(positionSide, forKey: .positionSide)
            try keys.encode(baseSide * patchSize, forKey: .sampleSize)
            try keys.encode(normsHeads ? "rms_norm" : nil, forKey: .headNorm)
            try keys.encode(dualBlocks, forKey: .dualBlocks)
        }
    }

    /// Its sizes; a picture has at most `positionSide` patches a side.
    package let configuration: Configuration
    /// The table of positions [1, side², C], computed and never trained.
    package let positions: Parameter
    private let patches: ConvolutionLayer
    private let condition: TransformerCondition
    private let text: LinearLayer
    private let blocks: [MMDiTBlock]
    private let exitNorm: ExitModulation
    private let exit: LinearLayer

    /// Weights are named as diffusers names them.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        positions = weights.parameter(
            "pos_embed.pos_embed", [1, c.positionSide * c.positionSide, c.width],
            .values(MMDiT.positionTable(side: c.positionSide, base: c.baseSide, width: c.width)))
        patches = ConvolutionLayer(
            weights, "pos_embed.proj", from: c.latentChannels, to: c.width, kernel: c.patchSize, stride: c.patchSize,
            padding: .around(0))
        condition = TransformerCondition(weights, pooledWidth: c.pooledWidth, width: c.width, guided: false)
        text = LinearLayer(weights, "context_embedder", from: c.textWidth, to: c.width)
        blocks = (0..<c.depth).map { layer in
            MMDiTBlock(
                weights, "transformer_blocks.\(layer)", sizes: c.attention, isDual: c.dualBlocks.contains(layer),
                textEnds: layer == c.depth - 1)
        }
        exitNorm = ExitModulation(weights, "norm_out", width: c.width)
        exit = LinearLayer(
            weights, "proj_out", from: c.width, to: c.patchSize * c.patchSize * c.outputChannels,
            initialization: .zeros)
    }

    /// Noisy latents [B, z, H, W], text tokens [B, T, D], pooled texts [B, P] and time steps [B] of 0…1000 → what the
    /// model predicts, [B, outputChannels, H, W]. H and W must divide into patches.
    package func callAsFunction(
        _ latents: Variable, text tokens: Variable, pooled: Variable, timesteps: [Float]
    ) -> Variable {
        let patch = configuration.patchSize
        let (rows, columns) = (latents.shape[2] / patch, latents.shape[3] / patch)
        precondition(
            rows * patch == latents.shape[2] && columns * patch == latents.shape[3],
            "latents \(latents.shape) do not divide into patches of \(patch)")
        let condition = condition(timesteps: timesteps, pooled: pooled)
        let x = AddRows(rowsPerGroup: 1).apply([patches(latents).tokensOfMap, positions(rows: rows, columns: columns)])
        var streams = [x, text(tokens)]
        let recomputes = configuration.recomputes(samples: x.shape[0], tokens: x.shape[1] + tokens.shape[1])
        for block in blocks {
            streams = recomputedTogether(streams + [condition], where: recomputes) {
                block($0[0], text: $0[1], condition: $0[2])
            }
        }
        return unpatched(exit(exitNorm(streams[0], condition: condition)), rows: rows, columns: columns)
    }

    /// The middle rows × columns of the table of positions, [rows · columns, C].
    package func positions(rows: Int, columns: Int) -> Variable {
        let side = configuration.positionSide
        precondition(rows <= side && columns <= side, "\(rows)×\(columns) patches; at most \(side) a side are possible")
        let (top, left) = ((side - rows) / 2, (side - columns) / 2)
        let places = (0..<rows).flatMap { row in
            (0..<columns).map { Int32((top + row) * side + left + $0) }
        }
        return Gather(places).apply([positions.variable.reshaped([side * side, configuration.width])])
    }

    /// Patches [B, rows · columns, p · p · c], a pixel's channels together → [B, c, rows · p, columns · p].
    private func unpatched(_ tokens: Variable, rows: Int, columns: Int) -> Variable {
        let (patch, channels) = (configuration.patchSize, configuration.outputChannels)
        let (batch, count) = (tokens.shape[0], tokens.shape[1])
        let byChannel = SwapPlanes().apply([tokens.reshaped([batch * count, patch * patch, channels])])
        let deep = byChannel.reshaped([batch, count, channels * patch * patch])
        return DepthToSpace(patch).apply([deep.mapOfTokens(height: rows, width: columns)])
    }

    /// Sines and cosines of a patch's column in the first half of the channels and of its row in the second, counted so
    /// that the picture size the table is made for spans `base`; [side², width].
    static func positionTable(side: Int, base: Int, width: Int) -> [Float] {
        let half = width / 2
        let frequencies = (0..<half / 2).map { pow(10000, -Double($0) / (Double(half) / 2)) }
        func features(_ place: Int) -> [Float] {
            let position = Double(place) * Double(base) / Double(side)
            return frequencies.map { Float(sin(position * $0)) } + frequencies.map { Float(cos(position * $0)) }
        }
        let table = (0..<side).map(features)
        return (0..<side).flatMap { row in (0..<side).flatMap { table[$0] + table[row] } }
    }
}

/// A block of two streams: joint attention, then a feed-forward each.
private struct MMDiTBlock {
    private let modulation: Modulation
    /// The text's, which in the last block only norms what attention reads.
    private let textModulation: Modulation?
    private let textExit: ExitModulation?
    private let attention: JointAttention
    /// The picture's second attention, over itself.
    private let second: StreamAttention?
    private let feedForward: TransformerFeedForward
    private let textFeedForward: TransformerFeedForward?

    init(_ weights: Weights, _ name: String, sizes: AttentionSizes, isDual: Bool, textEnds: Bool) {
        let width = sizes.width
        modulation = Modulation(weights, "\(name).norm1", width: width, parts: isDual ? 9 : 6)
        textModulation =
            textEnds ? nil : Modulation(weights, "\(name).norm1_context", width: width, parts: 6)
        textExit = textEnds ? ExitModulation(weights, "\(name).norm1_context", width: width) : nil
        attention = JointAttention(
            weights, "\(name).attn", sizes: sizes, order: .pictureFirst, textEnds: textEnds)
        second = isDual ? StreamAttention(weights, "\(name).attn2", sizes: sizes) : nil
        feedForward = TransformerFeedForward(weights, "\(name).ff", width: width)
        textFeedForward = textEnds ? nil : TransformerFeedForward(weights, "\(name).ff_context", width: width)
    }

    /// x [B, N, C], text [B, T, C], condition [B, C] → both in this order; x alone where the text's stream ends.
    func callAsFunction(_ x: Variable, text c: Variable, condition: Variable) -> [Variable] {
        let m = modulation(condition)
        let normed = x.modulated(shift: m[0], scale: m[1])
        let textParts = textModulation?(condition)
        let normedText =
            textParts.map { c.modulated(shift: $0[0], scale: $0[1]) } ?? textExit!(c, condition: condition)
        let attended = attention(picture: normed, text: normedText)
        var y = x + attended.picture.gated(m[2])
        if let second { y = y + second(x.modulated(shift: m[6], scale: m[7])).gated(m[8]) }
        y = y + feedForward(y.modulated(shift: m[3], scale: m[4])).gated(m[5])
        guard let textParts, let textFeedForward, let textAttended = attended.text else { return [y] }
        let d = c + textAttended.gated(textParts[2])
        return [y, d + textFeedForward(d.modulated(shift: textParts[3], scale: textParts[4])).gated(textParts[5])]
    }
}
