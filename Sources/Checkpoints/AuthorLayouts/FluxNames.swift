/// FLUX.1 as its authors' code names it (black-forest-labs/flux src/flux/model.py), and as diffusers does
/// (`convert_flux_transformer_checkpoint_to_diffusers` in src/diffusers/loaders/single_file_utils.py).
enum FluxNames {
    /// The matrices of a network of `depth` blocks of two streams and `singleDepth` of one.
    static func modules(depth: Int, singleDepth: Int) -> [FusedModule] {
        embedders + outside + (0..<depth).flatMap(projections) + (0..<singleDepth).flatMap(singleProjections)
    }

    /// Names that only adapters have: OMI's of `img_in` (Nerogar/OneTrainer convert_flux_lora.py), and of XLabs, who
    /// change of `linear1` the first rows (XLabs-AI/x-flux src/flux/modules/layers.py).
    static func ofAdapters(singleDepth: Int) -> [FusedModule] {
        let attentions = (0..<singleDepth).map {
            FusedModule("qkv", "attn.to_q", "attn.to_k", "attn.to_v")
                .under("single_blocks.\($0)", "single_transformer_blocks.\($0)")
        }
        return attentions + [FusedModule("img_in.proj", "x_embedder")]
    }

    /// The projections of a block of two streams.
    private static func projections(_ block: Int) -> [FusedModule] {
        [
            FusedModule("img_attn.qkv", "attn.to_q", "attn.to_k", "attn.to_v"),
            FusedModule("txt_attn.qkv", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
            FusedModule("img_attn.proj", "attn.to_out.0"), FusedModule("txt_attn.proj", "attn.to_add_out"),
            FusedModule("img_mlp.0", "ff.net.0.proj"), FusedModule("img_mlp.2", "ff.net.2"),
            FusedModule("txt_mlp.0", "ff_context.net.0.proj"), FusedModule("txt_mlp.2", "ff_context.net.2"),
            FusedModule("img_mod.lin", "norm1.linear"), FusedModule("txt_mod.lin", "norm1_context.linear"),
        ].map { $0.under("double_blocks.\(block)", "transformer_blocks.\(block)") }
    }

    /// The projections of a block of one stream.
    private static func singleProjections(_ block: Int) -> [FusedModule] {
        [
            FusedModule("linear1", "attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
            FusedModule("linear2", "proj_out"), FusedModule("modulation.lin", "norm.linear"),
        ].map { $0.under("single_blocks.\(block)", "single_transformer_blocks.\(block)") }
    }

    private static func norms(_ block: Int) -> [FusedModule] {
        [
            FusedModule("img_attn.norm.query_norm", "attn.norm_q"),
            FusedModule("img_attn.norm.key_norm", "attn.norm_k"),
            FusedModule("txt_attn.norm.query_norm", "attn.norm_added_q"),
            FusedModule("txt_attn.norm.key_norm", "attn.norm_added_k"),
        ].map { $0.under("double_blocks.\(block)", "transformer_blocks.\(block)") }
    }

    private static func singleNorms(_ block: Int) -> [FusedModule] {
        [FusedModule("norm.query_norm", "attn.norm_q"), FusedModule("norm.key_norm", "attn.norm_k")]
            .map { $0.under("single_blocks.\(block)", "single_transformer_blocks.\(block)") }
    }

    private static let embedders = [
        ("time_in", "timestep_embedder"), ("vector_in", "text_embedder"), ("guidance_in", "guidance_embedder"),
    ].flatMap { theirs, ours in
        [
            FusedModule("\(theirs).in_layer", "time_text_embed.\(ours).linear_1"),
            FusedModule("\(theirs).out_layer", "time_text_embed.\(ours).linear_2"),
        ]
    }

    private static let outside = [
        FusedModule("txt_in", "context_embedder"), FusedModule("img_in", "x_embedder"),
        FusedModule("final_layer.linear", "proj_out"),
        FusedModule("final_layer.adaLN_modulation.1", "norm_out.linear").swapped,
    ]

    /// Of a network of `depth` blocks of two streams and `singleDepth` of one, of a width. The authors' shift stands
    /// before the scale in the last norm; diffusers has them the other way round.
    static func renaming(depth: Int, singleDepth: Int, width: Int) -> ModuleRenaming {
        let ofAttention = (0..<depth).flatMap(norms) + (0..<singleDepth).flatMap(singleNorms)
        return ModuleRenaming(modules(depth: depth, singleDepth: singleDepth) + ofAttention, width: width)
    }
}
