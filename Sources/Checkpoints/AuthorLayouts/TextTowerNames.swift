/// CLIP's text tower as OpenCLIP names it (mlfoundations/open_clip), and as transformers does.
enum TextTowerNames {
    /// One of OpenCLIP's tensors under transformers' name: query, key and value apart, the projection transposed.
    static func renamed(_ name: String, _ tensor: StoredTensor) throws(CheckpointError) -> [RearrangedTensor] {
        switch name {
        case "token_embedding.weight": return [.init("text_model.embeddings.token_embedding.weight", tensor)]
        case "positional_embedding": return [.init("text_model.embeddings.position_embedding.weight", tensor)]
        case "text_projection":
            guard tensor.shape.count == 2 else { throw tensor.problem("is no matrix") }
            return [.init("text_projection.weight", tensor.transposed)]
        default: break
        }
        if name.hasPrefix("ln_final.") { return [.init("text_model.final_layer_norm." + name.dropFirst(9), tensor)] }
        let words = name.split(separator: ".").map(String.init)
        guard words.count > 4, words[1] == "resblocks" else { return [] }
        return try block("text_model.encoder.layers.\(words[2])", Array(words[3...]), tensor)
    }

    private static func block(
        _ layer: String, _ words: [String], _ tensor: StoredTensor
    ) throws(CheckpointError) -> [RearrangedTensor] {
        guard words[1].hasPrefix("in_proj_") else {
            let part = words.dropLast().joined(separator: ".")
            return [.init("\(layer).\(parts[part] ?? part).\(words.last!)", tensor)]
        }
        guard let rows = tensor.shape.first, rows % 3 == 0 else {
            throw tensor.problem("has the shape \(tensor.shape); query, key and value are needed in its rows")
        }
        let kind = words[1].dropFirst("in_proj_".count)
        return zip(["q", "k", "v"], tensor.split(into: 3)).map { .init("\(layer).self_attn.\($0)_proj.\(kind)", $1) }
    }

    private static let parts = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    ]
}
