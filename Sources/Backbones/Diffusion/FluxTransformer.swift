import Autograd
import Checkpoints
import Glibc
import Layers
import Tensors

/// FLUX.1's transformer (Black Forest Labs; diffusers' FluxTransformer2DModel): blocks of two streams, then blocks of
/// one, with rotary positions on three axes. It predicts noise − picture.
package final class FluxTransformer {
    /// Its sizes, read and written as diffusers' `config.json`.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Numbers of a packed patch of latents.
        package var patchChannels: Int
        /// Numbers of what is predicted of a patch.
        package var outputChannels: Int
        /// Blocks of two streams, and of one.
        package var depth, singleDepth: Int
        /// Heads of attention, and channels of one; their product is C.
        package var heads, headWidth: Int
        /// Width D of a text token, and P of the pooled text.
        package var textWidth, pooledWidth: Int
        /// Whether the model is told the guidance scale it was distilled from (dev).
        package var isGuided: Bool
        /// Channels of a head that turn with a token's number, row and column.
        package var rotaryChannels: [Int]

        /// As much is predicted of a patch as is read unless given.
        package init(
            patchChannels: Int, outputChannels: Int? = nil, depth: Int, singleDepth: Int, heads: Int, headWidth: Int,
            textWidth: Int, pooledWidth: Int, isGuided: Bool, rotaryChannels: [Int]
        ) {
            (self.patchChannels, self.outputChannels) = (patchChannels, outputChannels ?? patchChannels)
            (self.depth, self.singleDepth) = (depth, singleDepth)
            (self.heads, self.headWidth, self.textWidth) = (heads, headWidth, textWidth)
            (self.pooledWidth, self.isGuided, self.rotaryChannels) = (pooledWidth, isGuided, rotaryChannels)
        }

        /// FLUX.1-dev.
        package static let dev = Configuration(
            patchChannels: 64, depth: 19, singleDepth: 38, heads: 24, headWidth: 128, textWidth: 4096,
            pooledWidth: 768, isGuided: true, rotaryChannels: [16, 56, 56])

        /// C of a token, in both streams.
        package var width: Int { heads * headWidth }
        /// Tokens that T5 reads of a prompt.
        var textLength: Int { PromptLength.flux(isGuided: isGuided) }
        var attention: AttentionSizes { AttentionSizes(heads: heads, headWidth: headWidth, normsHeads: true) }

        /// Whether learning computes blocks once more, by the tokens of a sample, in both streams.
        func recomputes(samples: Int, tokens: Int) -> Bool {
            BlockRecomputation.pays(rows: samples * tokens, width: width, depth: depth + singleDepth)
        }

        private enum CodingKeys: String, CodingKey {
            case patchChannels = "in_channels"
            case outputChannels = "out_channels"
            case depth = "num_layers"
            case singleDepth = "num_single_layers"
            case heads = "num_attention_heads"
            case headWidth = "attention_head_dim"
            case textWidth = "joint_attention_dim"
            case pooledWidth = "pooled_projection_dim"
            case isGuided = "guidance_embeds"
            case rotaryChannels = "axes_dims_rope"
        }

        /// What is left out is that of FLUX.1-dev but for guidance, which is then off.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let usual = Configuration.dev
            self.init(
                patchChannels: try keys.value(.patchChannels, usual.patchChannels),
                outputChannels: try keys.decodeIfPresent(Int.self, forKey: .outputChannels),
                depth: try keys.value(.depth, usual.depth),
                singleDepth: try keys.value(.singleDepth, usual.singleDepth),
                heads: try keys.value(.heads, usual.heads), headWidth: try keys.value(.headWidth, usual.headWidth),
                textWidth: try keys.value(.textWidth, usual.textWidth),
                pooledWidth: try keys.value(.pooledWidth, usual.pooledWidth),
                isGuided: try keys.value(.isGuided, false),
                rotaryChannels: try keys.value(.rotaryChannels, usual.rotaryChannels))
        }
    }

    /// Its sizes; places have no table, so that none bounds a picture.
    package let configuration: Configuration
    private let entry, text: LinearLayer
    private let condition: TransformerCondition
    private let blocks: [FluxBlock]
    private let singleBlocks: [FluxSingleBlock]
    private let exitNorm: ExitModulation
    private let exit: LinearLayer

    /// Weights are named as diffusers names them.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        precondition(
            c.rotaryChannels.reduce(0, +) == c.headWidth,
            "rotary channels \(c.rotaryChannels) do not make a head of \(c.headWidth)")
        condition = TransformerCondition(weights, pooledWidth: c.pooledWidth, width: c.width, guided: c.isGuided)
        text = LinearLayer(weights, "context_embedder", from: c.textWidth, to: c.width)
        entry = LinearLayer(weights, "x_embedder", from: c.patchChannels, to: c.width)
        blocks = (0..<c.depth).map { FluxBlock(weights, "transformer_blocks.\($0)", sizes: c.attention) }
        singleBlocks = (0..<c.singleDepth).map {
            FluxSingleBlock(weights, "single_transformer_blocks.\($0)", sizes: c.attention)
        }
        exitNorm = ExitModulation(weights, "norm_out", width: c.width)
        exit = LinearLayer(weights, "proj_out", from: c.width, to: c.outputChannels, initialization: .zeros)
    }

    /// Packed noisy latents [B, N, 4·z], text tokens [B, T, D], pooled texts [B, P], shares of noise [B] of 0…1 and
    /// guidance scales [B] (not read by a model without guidance) → what the model predicts, [B, N, outputChannels].
    ///
    /// `places` of every text and then every picture token are number, row and column: [T + N][3].
    package func callAsFunction(
        _ latents: Variable, text tokens: Variable, pooled: Variable, sigmas: [Float], guidance: [Float]?,
        places: [[Float]]
    ) -> Variable {
        let condition = condition(
            timesteps: sigmas.map { $0 * 1000 }, pooled: pooled, guidance: guidance.map { $0.map { $0 * 1000 } })
        let (length, count) = (tokens.shape[1], latents.shape[1])
        precondition(places.count == count + length, "\(places.count) places for \(count) + \(length) tokens")
        let rotary = rotaryTable(places)
        let recomputes = configuration.recomputes(samples: latents.shape[0], tokens: places.count)
        var streams = [entry(latents), text(tokens)]
        for block in blocks {
            streams = recomputedTogether(streams + [condition], where: recomputes) {
                block($0[0], text: $0[1], condition: $0[2], rotary: rotary)
            }
        }
        var joined = Concatenate().apply(streams.reversed())
        for block in singleBlocks {
            joined = recomputed([joined, condition], where: recomputes) {
                block($0[0], condition: $0[1], rotary: rotary)
            }
        }
        return exit(exitNorm(joined.tokens(length..<length + count), condition: condition))
    }

    /// Places of `text` tokens, all zero, and of rows × columns patches: what a pipeline hands the model.
    package static func places(text: Int, rows: Int, columns: Int) -> [[Float]] {
        [[Float]](repeating: [0, 0, 0], count: text)
            + (0..<rows).flatMap { row in (0..<columns).map { [0, Float(row), Float($0)] } }
    }

    /// Latents [B, z, H, W] in blocks of 2×2 → [B, H/2 · W/2, 4·z].
    package static func packed(_ latents: Variable) -> Variable { SpaceToDepth(2).apply([latents]).tokensOfMap }

    /// Packed latents [B, rows · columns, 4·z] → [B, z, 2·rows, 2·columns].
    package static func unpacked(_ tokens: Variable, rows: Int, columns: Int) -> Variable {
        DepthToSpace(2).apply([tokens.mapOfTokens(height: rows, width: columns)])
    }

    /// Angles of every token, [tokens, headWidth/2], one axis after the other; base 10000, in double precision.
    private func rotaryTable(_ places: [[Float]]) -> RotaryTable {
        let angles = places.flatMap { place in
            zip(place, configuration.rotaryChannels).flatMap { position, channels in
                (0..<channels / 2).map { Double(position) * pow(10000, -Double(2 * $0) / Double(channels)) }
            }
        }
        let shape = [places.count, configuration.headWidth / 2]
        return RotaryTable(
            cosine: Tensor(angles.map { Float(cos($0)) }, shape: shape),
            sine: Tensor(angles.map { Float(sin($0)) }, shape: shape), pairsHalves: false)
    }
}

/// A block of two streams: joint attention, then a feed-forward each.
private struct FluxBlock {
    private let modulation, textModulation: Modulation
    private let attention: JointAttention
    private let feedForward, textFeedForward: TransformerFeedForward

    init(_ weights: Weights, _ name: String, sizes: AttentionSizes) {
        modulation = Modulation(weights, "\(name).norm1", width: sizes.width, parts: 6)
        textModulation = Modulation(weights, "\(name).norm1_context", width: sizes.width, parts: 6)
        attention = JointAttention(weights, "\(name).attn", sizes: sizes, order: .textFirst)
        feedForward = TransformerFeedForward(weights, "\(name).ff", width: sizes.width)
        textFeedForward = TransformerFeedForward(weights, "\(name).ff_context", width: sizes.width)
    }

    /// x [B, N, C], text [B, T, C], condition [B, C] → both in this order.
    func callAsFunction(_ x: Variable, text c: Variable, condition: Variable, rotary: RotaryTable) -> [Variable] {
        let (m, n) = (modulation(condition), textModulation(condition))
        let attended = attention(
            picture: x.modulated(shift: m[0], scale: m[1]), text: c.modulated(shift: n[0], scale: n[1]),
            rotary: rotary)
        let y = x + attended.picture.gated(m[2])
        let d = c + attended.text!.gated(n[2])
        return [
            y + feedForward(y.modulated(shift: m[3], scale: m[4])).gated(m[5]),
            d + textFeedForward(d.modulated(shift: n[3], scale: n[4])).gated(n[5]),
        ]
    }
}

/// A block of one stream: attention and feed-forward side by side, joined by one projection.
private struct FluxSingleBlock {
    private let modulation: Modulation
    private let attention: StreamAttention
    private let up, output: LinearLayer

    init(_ weights: Weights, _ name: String, sizes: AttentionSizes) {
        let width = sizes.width
        modulation = Modulation(weights, "\(name).norm", width: width, parts: 3)
        up = LinearLayer(weights, "\(name).proj_mlp", from: width, to: 4 * width)
        output = LinearLayer(weights, "\(name).proj_out", from: 5 * width, to: width)
        attention = StreamAttention(weights, "\(name).attn", sizes: sizes, hasOutput: false)
    }

    /// x [B, T + N, C], condition [B, C] → [B, T + N, C].
    func callAsFunction(_ x: Variable, condition: Variable, rotary: RotaryTable) -> Variable {
        let m = modulation(condition)
        let normed = x.modulated(shift: m[0], scale: m[1])
        let both = JoinColumns().apply([attention(normed, rotary: rotary), GELU().apply([up(normed)])])
        return x + output(both).gated(m[2])
    }
}
