/// Stable Diffusion 3 and 3.5 as its authors' code names it (Stability-AI/sd3.5 mmditx.py), and as diffusers does
/// (`convert_sd3_transformer_checkpoint_to_diffusers` in src/diffusers/loaders/single_file_utils.py).
enum MMDiTNames {
    /// The matrices of a network of `depth` blocks. The authors' shift stands before the scale where only these two
    /// are, as after the last block's text; diffusers has them the other way round.
    static func modules(depth: Int) -> [FusedModule] {
        outside + (0..<depth).flatMap { projections($0, isLast: $0 == depth - 1) }
    }

    private static func projections(_ block: Int, isLast: Bool) -> [FusedModule] {
        let textModulation = FusedModule("context_block.adaLN_modulation.1", "norm1_context.linear")
        return [
            FusedModule("x_block.attn.qkv", "attn.to_q", "attn.to_k", "attn.to_v"),
            FusedModule("context_block.attn.qkv", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
            FusedModule("x_block.attn.proj", "attn.to_out.0"),
            FusedModule("context_block.attn.proj", "attn.to_add_out"),
            FusedModule("x_block.attn2.qkv", "attn2.to_q", "attn2.to_k", "attn2.to_v"),
            FusedModule("x_block.attn2.proj", "attn2.to_out.0"),
            FusedModule("x_block.mlp.fc1", "ff.net.0.proj"), FusedModule("x_block.mlp.fc2", "ff.net.2"),
            FusedModule("context_block.mlp.fc1", "ff_context.net.0.proj"),
            FusedModule("context_block.mlp.fc2", "ff_context.net.2"),
            FusedModule("x_block.adaLN_modulation.1", "norm1.linear"),
            isLast ? textModulation.swapped : textModulation,
        ].map { $0.under("joint_blocks.\(block)", "transformer_blocks.\(block)") }
    }

    private static func norms(_ block: Int) -> [FusedModule] {
        [
            FusedModule("x_block.attn.ln_q", "attn.norm_q"), FusedModule("x_block.attn.ln_k", "attn.norm_k"),
            FusedModule("context_block.attn.ln_q", "attn.norm_added_q"),
            FusedModule("context_block.attn.ln_k", "attn.norm_added_k"),
            FusedModule("x_block.attn2.ln_q", "attn2.norm_q"), FusedModule("x_block.attn2.ln_k", "attn2.norm_k"),
        ].map { $0.under("joint_blocks.\(block)", "transformer_blocks.\(block)") }
    }

    private static let outside = [
        FusedModule("pos_embed", "pos_embed.pos_embed"), FusedModule("x_embedder.proj", "pos_embed.proj"),
        FusedModule("t_embedder.mlp.0", "time_text_embed.timestep_embedder.linear_1"),
        FusedModule("t_embedder.mlp.2", "time_text_embed.timestep_embedder.linear_2"),
        FusedModule("y_embedder.mlp.0", "time_text_embed.text_embedder.linear_1"),
        FusedModule("y_embedder.mlp.2", "time_text_embed.text_embedder.linear_2"),
        FusedModule("context_embedder", "context_embedder"), FusedModule("final_layer.linear", "proj_out"),
        FusedModule("final_layer.adaLN_modulation.1", "norm_out.linear").swapped,
    ]

    /// Of a network of `depth` blocks.
    static func renaming(depth: Int) -> ModuleRenaming {
        ModuleRenaming(modules(depth: depth) + (0..<depth).flatMap(norms))
    }
}
