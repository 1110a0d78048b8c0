import Checkpoints
import FileTesting
import Foundation

/// Weights of a model of diffusers, written as its authors' code names and orders them.
struct AuthorLayout {
    private var tensors: [String: (shape: [Int], values: [Float])] = [:]

    /// A tensor whose rows are those of several, one after the other.
    private mutating func join(_ name: String, _ parts: [String], of source: Checkpoint) throws {
        let stored = try parts.map { try source.tensor($0) }
        let rows = stored.reduce(0) { $0 + ($1.shape.first ?? 1) }
        tensors[name] = ([rows] + stored[0].shape.dropFirst(), try stored.flatMap { try $0.floats() })
    }

    /// Weight and bias of a module, or of several whose rows are joined; those that are there.
    private mutating func module(
        _ theirs: String, _ ours: String..., of source: Checkpoint, isSwapped: Bool = false, scale: Bool = false
    ) throws {
        for ending in ["weight", "bias"] where source.contains("\(ours[0]).\(ending)") {
            let name = "\(theirs).\(scale ? "scale" : ending)"
            try join(name, ours.map { "\($0).\(ending)" }, of: source)
            guard isSwapped, let found = tensors[name] else { continue }
            let half = found.values.count / 2
            tensors[name] = (found.shape, Array(found.values[half...] + found.values[..<half]))
        }
    }

    /// Every tensor as it is.
    mutating func take(_ source: Checkpoint, under prefix: String = "") throws {
        for name in source.names {
            tensors[prefix + name] = (try source.shape(of: name), try source.tensor(name).floats())
        }
    }

    /// A tensor of its own.
    mutating func set(_ name: String, _ shape: [Int], _ values: [Float]) { tensors[name] = (shape, values) }

    /// A tensor of another size of numbers.
    mutating func scale(_ name: String, by factor: Float) {
        guard let found = tensors[name] else { return }
        tensors[name] = (found.shape, found.values.map { $0 * factor })
    }

    func write(_ path: String) throws {
        var (entries, data): ([String], [UInt8]) = ([], [])
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let bytes = tensor.values.withUnsafeBytes { Array($0) }
            entries.append(
                """
                "\(name)":{"dtype":"F32","shape":\(tensor.shape),"data_offsets":[\(data.count),\
                \(data.count + bytes.count)]}
                """)
            data += bytes
        }
        let file = HandmadeSafetensors("{\(entries.joined(separator: ","))}", data)
        try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    }

    // MARK: Networks

    private mutating func embedders(_ names: [(String, String)], _ layers: (String, String), of s: Checkpoint) throws {
        for (theirs, ours) in names where s.contains("time_text_embed.\(ours).linear_1.weight") {
            try module("\(theirs).\(layers.0)", "time_text_embed.\(ours).linear_1", of: s)
            try module("\(theirs).\(layers.1)", "time_text_embed.\(ours).linear_2", of: s)
        }
    }

    /// The transformer of Stable Diffusion 3 (mmditx.py).
    mutating func mmdit(_ s: Checkpoint, under prefix: String = "model.diffusion_model.") throws {
        let p = prefix
        try join("\(p)pos_embed", ["pos_embed.pos_embed"], of: s)
        try module("\(p)x_embedder.proj", "pos_embed.proj", of: s)
        try module("\(p)context_embedder", "context_embedder", of: s)
        try embedders(
            [("\(p)t_embedder", "timestep_embedder"), ("\(p)y_embedder", "text_embedder")], ("mlp.0", "mlp.2"), of: s)
        try module("\(p)final_layer.linear", "proj_out", of: s)
        try module("\(p)final_layer.adaLN_modulation.1", "norm_out.linear", of: s, isSwapped: true)
        let blocks = Set(
            s.names.compactMap { $0.hasPrefix("transformer_blocks.") ? Int($0.split(separator: ".")[1]) : nil })
        for block in blocks {
            let (t, o) = ("\(p)joint_blocks.\(block)", "transformer_blocks.\(block)")
            for (x, names) in [
                (
                    "x_block.attn",
                    ["attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "attn.norm_q", "attn.norm_k"]
                ),
                (
                    "context_block.attn",
                    [
                        "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.to_add_out",
                        "attn.norm_added_q", "attn.norm_added_k",
                    ]
                ),
                (
                    "x_block.attn2",
                    ["attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0", "attn2.norm_q", "attn2.norm_k"]
                ),
            ] where s.contains("\(o).\(names[0]).weight") {
                try module("\(t).\(x).qkv", "\(o).\(names[0])", "\(o).\(names[1])", "\(o).\(names[2])", of: s)
                for (part, name) in zip(["proj", "ln_q", "ln_k"], names[3...]) {
                    try module("\(t).\(x).\(part)", "\(o).\(name)", of: s)
                }
            }
            for (x, norm, feedForward) in [
                ("x_block", "norm1", "ff"), ("context_block", "norm1_context", "ff_context"),
            ] {
                try module("\(t).\(x).mlp.fc1", "\(o).\(feedForward).net.0.proj", of: s)
                try module("\(t).\(x).mlp.fc2", "\(o).\(feedForward).net.2", of: s)
                try module(
                    "\(t).\(x).adaLN_modulation.1", "\(o).\(norm).linear", of: s,
                    isSwapped: norm == "norm1_context" && block == blocks.max())
            }
        }
    }

    /// FLUX.1's transformer (flux/model.py).
    mutating func flux(_ s: Checkpoint) throws {
        for (theirs, ours) in [
            ("img_in", "x_embedder"), ("txt_in", "context_embedder"), ("final_layer.linear", "proj_out"),
        ] {
            try module(theirs, ours, of: s)
        }
        try embedders(
            [("time_in", "timestep_embedder"), ("vector_in", "text_embedder"), ("guidance_in", "guidance_embedder")],
            ("in_layer", "out_layer"), of: s)
        try module("final_layer.adaLN_modulation.1", "norm_out.linear", of: s, isSwapped: true)
        for block in 0..<100 where s.contains("transformer_blocks.\(block).attn.to_q.weight") {
            let (t, o) = ("double_blocks.\(block)", "transformer_blocks.\(block)")
            try module("\(t).img_attn.qkv", "\(o).attn.to_q", "\(o).attn.to_k", "\(o).attn.to_v", of: s)
            try module(
                "\(t).txt_attn.qkv", "\(o).attn.add_q_proj", "\(o).attn.add_k_proj", "\(o).attn.add_v_proj", of: s)
            for (theirs, ours) in [
                ("img_attn.proj", "attn.to_out.0"), ("txt_attn.proj", "attn.to_add_out"),
                ("img_mlp.0", "ff.net.0.proj"), ("img_mlp.2", "ff.net.2"), ("txt_mlp.0", "ff_context.net.0.proj"),
                ("txt_mlp.2", "ff_context.net.2"), ("img_mod.lin", "norm1.linear"),
                ("txt_mod.lin", "norm1_context.linear"),
            ] { try module("\(t).\(theirs)", "\(o).\(ours)", of: s) }
            for (theirs, ours) in [
                ("img_attn.norm.query_norm", "norm_q"), ("img_attn.norm.key_norm", "norm_k"),
                ("txt_attn.norm.query_norm", "norm_added_q"), ("txt_attn.norm.key_norm", "norm_added_k"),
            ] { try module("\(t).\(theirs)", "\(o).attn.\(ours)", of: s, scale: true) }
        }
        for block in 0..<100 where s.contains("single_transformer_blocks.\(block).proj_mlp.weight") {
            let (t, o) = ("single_blocks.\(block)", "single_transformer_blocks.\(block)")
            try module(
                "\(t).linear1", "\(o).attn.to_q", "\(o).attn.to_k", "\(o).attn.to_v", "\(o).proj_mlp", of: s)
            try module("\(t).linear2", "\(o).proj_out", of: s)
            try module("\(t).modulation.lin", "\(o).norm.linear", of: s)
            try module("\(t).norm.query_norm", "\(o).attn.norm_q", of: s, scale: true)
            try module("\(t).norm.key_norm", "\(o).attn.norm_k", of: s, scale: true)
        }
    }

    // MARK: The autoencoder

    /// CompVis's autoencoder; levels of the decoder count from the coarsest in diffusers, from the finest there.
    mutating func autoencoder(_ s: Checkpoint, under prefix: String = "") throws {
        let levels = Set(
            s.names.compactMap { $0.hasPrefix("decoder.up_blocks.") ? Int($0.split(separator: ".")[2]) : nil })
        for name in s.names {
            var their = name
            for level in levels {
                their = their.replacingOccurrences(of: "up_blocks.\(level).", with: "up.\(levels.count - 1 - level)_.")
            }
            for (ours, theirs) in [
                ("_.", "."), ("down_blocks.", "down."), (".resnets.", ".block."),
                (".downsamplers.0.", ".downsample."), (".upsamplers.0.", ".upsample."),
                ("conv_shortcut", "nin_shortcut"), ("mid_block.block.0", "mid.block_1"),
                ("mid_block.block.1", "mid.block_2"), ("mid_block.attentions.0", "mid.attn_1"),
                ("group_norm", "norm"), (".to_q.", ".q."), (".to_k.", ".k."), (".to_v.", ".v."),
                (".to_out.0.", ".proj_out."), ("conv_norm_out", "norm_out"),
            ] { their = their.replacingOccurrences(of: ours, with: theirs) }
            let stored = try s.tensor(name)
            // Attention was 1×1 convolutions.
            let isKernel = their.contains(".attn_1.") && stored.shape.count == 2
            tensors[prefix + their] = (stored.shape + (isKernel ? [1, 1] : []), try stored.floats())
        }
    }
}
