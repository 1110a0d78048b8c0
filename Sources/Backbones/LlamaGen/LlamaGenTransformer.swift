import Autograd
import Glibc
import Layers
import Tensors

/// LlamaGen's text-conditional transformer (Sun et al., arXiv 2406.06525; autoregressive/models/gpt.py): a LLaMA
/// decoder over picture codes alone, behind a prefix of T caption features.
///
/// A caption's features stand at the end of the prefix, padding before them. Padding is seen by nothing but itself.
package final class LlamaGenTransformer {
    /// Its sizes, read and written under the reference's names.
    package struct Configuration: Codable, Equatable, Sendable {
        /// Channels C of a token, layers, and heads of queries (they divide C).
        package var width, depth, heads: Int
        /// Heads of keys and values; fewer than `heads` where neighbours share them.
        package var keyHeads: Int
        /// Channels of the gated feed-forward's inside.
        var feedForwardWidth: Int
        /// Codes to choose from.
        package var codes: Int
        /// Tokens T of the prefix.
        package var captionLength: Int
        /// Width D of a caption feature.
        package var captionWidth: Int
        /// Codes of a picture on a side.
        package var side: Int
        /// ε of every RMS norm.
        var epsilon: Float
        /// Base of the rotary angles, of rows and columns alike.
        var rotaryBase: Float

        /// What is not given: keys' heads are the queries', the feed-forward's width the reference's for C, the rest
        /// XL's.
        package init(
            width: Int, depth: Int, heads: Int, keyHeads: Int? = nil, feedForwardWidth: Int? = nil, codes: Int,
            captionLength: Int = 120, captionWidth: Int = 2048, side: Int, epsilon: Float = 1e-5,
            rotaryBase: Float = 10000
        ) {
            (self.width, self.depth, self.heads, self.keyHeads) = (width, depth, heads, keyHeads ?? heads)
            self.feedForwardWidth = feedForwardWidth ?? Configuration.feedForwardWidth(of: width, multipleOf: 256)
            (self.codes, self.captionLength, self.captionWidth) = (codes, captionLength, captionWidth)
            (self.side, self.epsilon, self.rotaryBase) = (side, epsilon, rotaryBase)
        }

        /// `t2i_XL_stage1_256.pt`; stage 2 has a side of 32.
        package static let xl = Configuration(width: 1280, depth: 36, heads: 20, codes: 16_384, side: 16)

        /// Channels of a head.
        var headWidth: Int { width / heads }
        var keyWidth: Int { keyHeads * headWidth }
        var logitScale: Float { 1 / Float(headWidth).squareRoot() }

        /// Two thirds of four times the width, up to the next multiple.
        static func feedForwardWidth(of width: Int, multipleOf multiple: Int) -> Int {
            (8 * width / 3 + multiple - 1) / multiple * multiple
        }

        private enum CodingKeys: String, CodingKey {
            case width = "dim"
            case depth = "n_layer"
            case heads = "n_head"
            case keyHeads = "n_kv_head"
            case feedForwardWidth = "ffn_hidden"
            case multipleOf = "multiple_of"
            case codes = "vocab_size"
            case captionLength = "cls_token_num"
            case captionWidth = "caption_dim"
            case positions = "block_size"
            case epsilon = "norm_eps"
            case rotaryBase = "rope_base"
        }

        /// What is left out is that of XL at 256 pixels.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let usual = Configuration.xl
            let width = try keys.value(.width, usual.width)
            let rounded = Configuration.feedForwardWidth(of: width, multipleOf: try keys.value(.multipleOf, 256))
            self.init(
                width: width, depth: try keys.value(.depth, usual.depth), heads: try keys.value(.heads, usual.heads),
                keyHeads: try keys.decodeIfPresent(Int.self, forKey: .keyHeads),
                feedForwardWidth: try keys.value(.feedForwardWidth, rounded),
                codes: try keys.value(.codes, usual.codes),
                captionLength: try keys.value(.captionLength, usual.captionLength),
                captionWidth: try keys.value(.captionWidth, usual.captionWidth),
                side: Int(Double(max(try keys.value(.positions, usual.side * usual.side), 0)).squareRoot().rounded()),
                epsilon: try keys.value(.epsilon, usual.epsilon),
                rotaryBase: try keys.value(.rotaryBase, usual.rotaryBase))
        }

        /// The grid's side is written as `block_size`, its square, as the reference has it.
        /// - Throws: what the encoder does.
        package func encode(to encoder: any Encoder) throws {
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encode(width, forKey: .width)
            try keys.encode(depth, forKey: .depth)
            try keys.encode(heads, forKey: .heads)
            try keys.encode(keyHeads, forKey: .keyHeads)
            try keys.encode(feedForwardWidth, forKey: .feedForwardWidth)
            try keys.encode(codes, forKey: .codes)
            try keys.encode(captionLength, forKey: .captionLength)
            try keys.encode(captionWidth, forKey: .captionWidth)
            try keys.encode(side * side, forKey: .positions)
            try keys.encode(epsilon, forKey: .epsilon)
            try keys.encode(rotaryBase, forKey: .rotaryBase)
        }
    }

    /// Its sizes; a sequence has captionLength + side² − 1 tokens at most.
    package let configuration: Configuration
    /// The prefix [T, D] of a dropped caption; the reference keeps it as a buffer and never trains it.
    package let unconditional: Parameter
    let blocks: [LlamaGenBlock]
    private let captionUp, captionDown: LinearLayer
    private let embedding: Parameter
    private let norm: RMSNormLayer
    private let head: LinearLayer
    /// Angles of the prefix, which are none at all, and of every cell of the grid, [T + side², headWidth/2].
    let rotary: RotaryTable

    /// Weights are named as in the published checkpoints.
    package init(_ configuration: Configuration, _ weights: Weights) {
        let c = configuration
        self.configuration = c
        unconditional = weights.parameter(
            "cls_embedding.uncond_embedding", [c.captionLength, c.captionWidth],
            .normal(deviation: 1 / Float(c.captionWidth).squareRoot()))
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> LinearLayer {
            LinearLayer(
                weights, name, from: inputs, to: outputs, bias: false, initialization: .normal(deviation: 0.02))
        }
        captionUp = linear("cls_embedding.cap_proj.fc1", c.captionWidth, c.width)
        captionDown = linear("cls_embedding.cap_proj.fc2", c.width, c.width)
        embedding = weights.parameter(
            "tok_embeddings.weight", [c.codes, c.width], .normal(deviation: 0.02), isTable: true)
        blocks = (0..<c.depth).map { LlamaGenBlock(weights, "layers.\($0)", configuration: c) }
        norm = RMSNormLayer(weights, "norm", width: c.width, epsilon: c.epsilon)
        head = linear("output", c.width, c.codes)
        rotary = LlamaGenTransformer.rotaryTable(c)
    }

    /// Teacher-forced logits [B, N, V] of a picture's N codes, from captions [B, T, D] and the codes before each,
    /// `codes` [B · N] (the last of a sample is not read).
    ///
    /// The last `lengths` features of each caption are real; all are when it is nil, padding then being seen.
    package func logits(captions: Variable, lengths: [Int]? = nil, codes: [Int32]) -> Variable {
        let c = configuration
        let batch = captions.shape[0]
        let count = codes.count / batch
        precondition(
            codes.count == batch * count && count > 0 && count <= c.side * c.side,
            "\(codes.count) codes for \(batch) pictures of \(c.side * c.side)")
        let inputs = (0..<batch).flatMap { codes[$0 * count..<($0 + 1) * count - 1] }
        var x = prefix(captions)
        if count > 1 {
            x = Concatenate().apply([x, embedded(inputs).reshaped([batch, count - 1, c.width])])
        }
        let tokens = x.shape[1]
        let rotary = rotary.slice(0..<tokens)
        let attention = PaddedAttention(
            heads: c.heads, keyHeads: c.keyHeads, headWidth: c.headWidth, logitScale: c.logitScale,
            padding: lengths.map { $0.map { c.captionLength - $0 } })
        let recomputes = BlockRecomputation.pays(rows: batch * tokens, width: c.width, depth: c.depth)
        for block in blocks {
            x = recomputed([x], where: recomputes) {
                block($0[0], rotary: rotary, attend: attention.callAsFunction)
            }
        }
        return logits(ofStates: x.tokens(c.captionLength - 1..<tokens))
    }

    /// Features [L, D] of captions at the end of prefixes of `length`, zeros before them, [B, length, D].
    package static func padded(_ features: [Tensor], to length: Int) -> Tensor {
        let width = features[0].width
        let prefixes = Tensor(zeros: [features.count, length, width])
        for (sample, feature) in features.enumerated() {
            precondition(feature.rows <= length, "a caption of \(feature.rows) features exceeds \(length)")
            let start = ((sample + 1) * length - feature.rows) * width
            (prefixes.pointer + start).update(from: feature.pointer, count: feature.count)
        }
        return prefixes
    }

    /// Caption features [.., T, D] to the prefix's embeddings [.., T, C].
    func prefix(_ captions: Variable) -> Variable { captionDown(GELU().apply([captionUp(captions)])) }

    /// Codes [R] to embeddings [R, C].
    func embedded(_ codes: [Int32]) -> Variable { embedding.rows(codes) }

    /// States [.., C] after the last layer to logits [.., V].
    func logits(ofStates states: Variable) -> Variable { head(norm(states)) }

    /// Channel pairs turn with the row in their first half and with the column in their second; the prefix's cosines
    /// and sines are all zero, so that its queries and keys vanish.
    private static func rotaryTable(_ c: Configuration) -> RotaryTable {
        let half = c.headWidth / 2
        let frequencies = (0..<half / 2).map { 1 / pow(c.rotaryBase, Float(2 * $0) / Float(half)) }
        let cells = (0..<c.side).flatMap { row in (0..<c.side).map { (row, $0) } }
        let angles = cells.flatMap { row, column in
            frequencies.map { Float(row) * $0 } + frequencies.map { Float(column) * $0 }
        }
        let none = [Float](repeating: 0, count: c.captionLength * half)
        let shape = [c.captionLength + cells.count, half]
        return RotaryTable(
            cosine: Tensor(none + angles.map { cos($0) }, shape: shape),
            sine: Tensor(none + angles.map { sin($0) }, shape: shape), pairsHalves: false)
    }
}

/// Causal attention of left-padded samples: padding sees itself alone, and nothing else sees it.
private struct PaddedAttention {
    let heads, keyHeads, headWidth: Int
    let logitScale: Float
    /// Padded tokens of each sample; nil where none is hidden.
    let padding: [Int]?

    /// qkv [B, T, C + 2·keyWidth] → [B, T, C].
    func callAsFunction(_ qkv: Variable) -> Variable {
        let (batch, tokens, width) = (qkv.shape[0], qkv.shape[1], qkv.shape[2])
        guard let padding, padding.contains(where: { $0 > 0 }) else { return attended(qkv) }
        let all = qkv.reshaped([1, batch * tokens, width])
        let parts = (0..<batch).flatMap { sample -> [Variable] in
            let first = sample * tokens
            let start = first + padding[sample]
            let seen = attended(all.tokens(start..<first + tokens))
            // A token that sees itself alone gets its own value.
            let values = (heads + keyHeads) * headWidth..<width
            return start == first ? [seen] : [shared(all.tokens(first..<start).columns(values)), seen]
        }
        return Concatenate().apply(parts).reshaped([batch, tokens, heads * headWidth])
    }

    /// Values [1, N, keyWidth] as each head has them, [1, N, C].
    private func shared(_ values: Variable) -> Variable {
        guard keyHeads < heads else { return values }
        let tokens = values.shape[1]
        let sources = (0..<tokens * heads).map { Int32($0 * keyHeads / heads) }
        return Gather(sources).apply([values.reshaped([tokens * keyHeads, headWidth])])
            .reshaped([1, tokens, heads * headWidth])
    }

    private func attended(_ qkv: Variable) -> Variable {
        let visible = (0..<Int32(qkv.shape[1])).map { $0 + 1 }
        return Attention(
            heads: heads, keyHeads: keyHeads, layout: .packed, logitScale: logitScale, visible: visible
        ).apply([qkv])
    }
}
