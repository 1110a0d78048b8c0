/// Chameleon's transformer as Meta ships it (facebookresearch/chameleon: `consolidated.pth`, or `consolidated.00.pth`
/// …, a part of every matrix in each) under transformers' names. Meta turns neighbouring channels of a head together,
/// all others a channel with the one half a head further on, so rows of queries and keys change places (transformers'
/// convert_chameleon_weights_to_hf.py).
package struct ChameleonShards: Sendable {
    private let shards: [Checkpoint]
    private let heads, keyHeads: Int

    /// - Parameters:
    ///   - shards: in order of their numbers.
    ///   - keyHeads: heads of keys and values.
    package init(_ shards: [Checkpoint], heads: Int, keyHeads: Int) {
        (self.shards, self.heads, self.keyHeads) = (shards, heads, keyHeads)
    }

    /// Whether a file is one of these.
    package static func isOne(_ checkpoint: Checkpoint) -> Bool {
        ["tok_embeddings.weight", "output.weight", "layers.0.attention.q_normalization.weight"]
            .allSatisfy(checkpoint.contains)
    }

    /// All tensors of the model.
    /// - Throws: `CheckpointError` naming the first that is missing or does not fit.
    package func tensors() throws(CheckpointError) -> [RearrangedTensor] {
        var all = [
            try columns("model.embed_tokens.weight", "tok_embeddings.weight"),
            try same("model.norm.weight", "norm.weight"),
            try rows("lm_head.weight", "output.weight"),
        ]
        for layer in 0..<depth { all += try block("model.layers.\(layer)", "layers.\(layer)") }
        return all
    }

    /// Layers.
    package var depth: Int {
        var depth = 0
        while shards[0].contains("layers.\(depth).attention.wo.weight") { depth += 1 }
        return depth
    }

    private func block(_ ours: String, _ theirs: String) throws(CheckpointError) -> [RearrangedTensor] {
        var all = [
            try turned("\(ours).self_attn.q_proj.weight", "\(theirs).attention.wq.weight", heads: heads),
            try turned("\(ours).self_attn.k_proj.weight", "\(theirs).attention.wk.weight", heads: keyHeads),
            try rows("\(ours).self_attn.v_proj.weight", "\(theirs).attention.wv.weight"),
            try columns("\(ours).self_attn.o_proj.weight", "\(theirs).attention.wo.weight"),
            try rows("\(ours).mlp.gate_proj.weight", "\(theirs).feed_forward.w1.weight"),
            try columns("\(ours).mlp.down_proj.weight", "\(theirs).feed_forward.w2.weight"),
            try rows("\(ours).mlp.up_proj.weight", "\(theirs).feed_forward.w3.weight"),
            try same("\(ours).input_layernorm.weight", "\(theirs).attention_norm.weight"),
            try same("\(ours).post_attention_layernorm.weight", "\(theirs).ffn_norm.weight"),
        ]
        for (norm, name) in [("q_norm", "q_normalization"), ("k_norm", "k_normalization")] {
            for ending in ["weight", "bias"] {
                all.append(try headNorm("\(ours).self_attn.\(norm).\(ending)", "\(theirs).attention.\(name).\(ending)"))
            }
        }
        return all
    }

    private func parts(_ name: String) throws(CheckpointError) -> [StoredTensor] {
        var parts: [StoredTensor] = []
        for shard in shards { parts.append(try shard.tensor(name)) }
        guard let first = parts.first, parts.allSatisfy({ $0.shape == first.shape && !$0.shape.isEmpty }) else {
            throw parts[0].problem("has another shape in another shard, or none")
        }
        return parts
    }

    private func rows(_ ours: String, _ theirs: String) throws(CheckpointError) -> RearrangedTensor {
        RearrangedTensor(ours, try parts(theirs))
    }

    /// Each shard has some of the columns.
    private func columns(_ ours: String, _ theirs: String) throws(CheckpointError) -> RearrangedTensor {
        let parts = try parts(theirs)
        guard parts.count > 1 else { return RearrangedTensor(ours, parts) }
        let (rows, width) = (parts[0].shape[0], parts[0].shape.dropFirst().reduce(1, *))
        return RearrangedTensor(
            ours, (0..<rows).flatMap { row in parts.map { $0.rows(row..<row + 1) } },
            shape: [rows, width * parts.count])
    }

    /// Every shard has the whole.
    private func same(_ ours: String, _ theirs: String) throws(CheckpointError) -> RearrangedTensor {
        let parts = try parts(theirs)
        let values = try parts[0].floats()
        for part in parts.dropFirst() {
            guard try part.floats() == values else {
                throw part.problem("differs from that of \(parts[0].path); shards of one model have the same")
            }
        }
        return RearrangedTensor(ours, parts[0])
    }

    /// Rows of every head: first those of even numbers, then the others.
    private func turned(_ ours: String, _ theirs: String, heads: Int) throws(CheckpointError) -> RearrangedTensor {
        let parts = try parts(theirs)
        let own = heads / shards.count
        guard own > 0, parts[0].shape[0] % (2 * own) == 0 else {
            throw parts[0].problem("has \(parts[0].shape[0]) rows, which are not those of \(own) heads")
        }
        let size = parts[0].shape[0] / own
        return RearrangedTensor(
            ours,
            parts.flatMap { part in
                (0..<own).flatMap { head in
                    [0, 1].map { part.rows(head * size + $0..<(head + 1) * size, step: 2) }
                }
            })
    }

    /// A shard has one row for all its heads.
    private func headNorm(_ ours: String, _ theirs: String) throws(CheckpointError) -> RearrangedTensor {
        let parts = try parts(theirs)
        let size = parts[0].shape[0]
        guard parts[0].shape.count == 1, size % 2 == 0 else {
            throw parts[0].problem("has the shape \(parts[0].shape); one row of an even number is needed")
        }
        return RearrangedTensor(
            ours, parts.flatMap { part in [0, 1].map { part.rows($0..<size, step: 2) } },
            shape: [parts.count, size])
    }
}
