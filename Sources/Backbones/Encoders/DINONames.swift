import Checkpoints
import Layers
import Tensors

extension DINOModel {
    /// The weights of a checkpoint in transformers' names, those of a classifier's trunk too, or in torch.hub's
    /// (facebookresearch/dino), which packs query, key and value. No other tensor is read.
    package static func weights(_ checkpoint: Checkpoint) throws(CheckpointError) -> Weights {
        let isHub = checkpoint.contains("pos_embed")
        guard isHub || checkpoint.contains(trunk + "embeddings.cls_token") else { return Weights(.stored(checkpoint)) }
        var tensors: [String: Tensor] = [:]
        for name in checkpoint.names where isHub ? isHubs(name) : name.hasPrefix(trunk) {
            let tensor = try checkpoint.tensor(name).tensor()
            let renamed = isHub ? published(name, tensor) : [(String(name.dropFirst(trunk.count)), tensor)]
            for (name, tensor) in renamed { tensors[name] = tensor }
        }
        return Weights(.checkpoint(tensors))
    }

    /// What transformers' classifiers have before the names of their trunk.
    private static let trunk = "vit."

    private static func isHubs(_ name: String) -> Bool { whole[name] != nil || name.hasPrefix("blocks.") }

    private static let whole = [
        "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias", "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    ]
    private static let parts = [
        "norm1": "layernorm_before", "attn.proj": "attention.output.dense", "norm2": "layernorm_after",
        "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense",
    ]

    /// One of torch.hub's tensors under transformers' name, or three.
    private static func published(_ name: String, _ tensor: Tensor) -> [(String, Tensor)] {
        let words = name.split(separator: ".").map(String.init)
        guard words.count > 3, words[0] == "blocks" else { return [(whole[name] ?? name, tensor)] }
        let (block, part, kind) =
            ("encoder.layer.\(words[1])", words[2..<words.count - 1].joined(separator: "."), words.last!)
        if let new = parts[part] { return [("\(block).\(new).\(kind)", tensor)] }
        guard part == "attn.qkv", tensor.shape[0] % 3 == 0 else { return [(name, tensor)] }
        let third = tensor.shape[0] / 3
        return ["query", "key", "value"].enumerated().map { index, which in
            ("\(block).attention.attention.\(which).\(kind)", tensor.slice(index * third..<(index + 1) * third))
        }
    }
}
