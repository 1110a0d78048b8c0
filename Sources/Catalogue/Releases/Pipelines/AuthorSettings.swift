import Checkpoints
import Jobs

/// diffusers' settings of components that come without any: sizes from shapes, the rest that of the one architecture
/// there is.
struct AuthorSettings {
    let kind: PipelineKind
    /// Width of the larger text tower's pooled texts, where there is one.
    let pooledWidth: Int?
    /// Whether it was distilled to draw in a few steps.
    let isTurbo: Bool

    /// What a component's `config.json` would say.
    func callAsFunction(_ component: AuthorComponent, isLargeTower: Bool) -> JSONValue {
        switch component.kind {
        case .unet: unet(component)
        case .mmdit: mmdit(component)
        case .flux: flux(component)
        case .autoencoder: autoencoder(component)
        case .textTower: textTower(component, "text_model.encoder.layers", isLarge: isLargeTower)
        case .openTextTower: openTextTower(component)
        case .t5: t5(component)
        }
    }

    private func rows(_ c: AuthorComponent, _ name: String) -> Int { c.shape(name)?.first ?? 0 }
    private func columns(_ c: AuthorComponent, _ name: String) -> Int {
        c.shape(name).flatMap { $0.count > 1 ? $0[1] : nil } ?? 0
    }

    // MARK: Networks

    private func unet(_ c: AuthorComponent) -> JSONValue {
        let form = c.form
        let levels = form.attendsDown.indices
        func first(_ level: Int) -> String { "input_blocks.\(form.firstBlock(of: level))" }
        let channels = levels.map { rows(c, "\(first($0)).0.out_layers.3.weight") }
        let attending = form.attendsDown.firstIndex(of: true) ?? 0
        let text = columns(c, "\(first(attending)).1.transformer_blocks.0.attn2.to_k.weight")
        let addition = columns(c, "label_emb.0.0.weight")
        let members: [String: JSONValue] = [
            "_class_name": "UNet2DConditionModel", "sample_size": isTurbo ? 64 : 128,
            "in_channels": .integer(columns(c, "input_blocks.0.0.weight")),
            "out_channels": .integer(rows(c, "out.2.weight")), "block_out_channels": integers(channels),
            "layers_per_block": .integer(form.blocksPerLevel),
            "down_block_types": .array(form.attendsDown.map { $0 ? "CrossAttnDownBlock2D" : "DownBlock2D" }),
            "up_block_types": .array(form.attendsUp.map { $0 ? "CrossAttnUpBlock2D" : "UpBlock2D" }),
            // Every one of them has heads of 64 channels.
            "attention_head_dim": integers(channels.map { max($0 / 64, 1) }),
            "cross_attention_dim": .integer(text), "norm_num_groups": .integer(groups(channels)), "norm_eps": 0.00001,
            // Six numbers say the picture's size.
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": .integer(pooledWidth.map { (addition - $0) / 6 } ?? 256),
            "projection_class_embeddings_input_dim": .integer(addition),
            "use_linear_projection": .bool(c.shape("\(first(attending)).1.proj_in.weight")?.count == 2),
        ]
        return .object(members.merging(depths(c, form)) { $1 })
    }

    /// How deep its transformers are. Distilled models have others on the way up than on the way down, and less in the
    /// middle.
    private func depths(_ c: AuthorComponent, _ form: UNetNames.Form) -> [String: JSONValue] {
        let (levels, perLevel) = (form.attendsDown.indices, form.blocksPerLevel)
        let downs = levels.map { depths(c, "input_blocks", from: form.firstBlock(of: $0), perLevel) }
        let ups = levels.map { depths(c, "output_blocks", from: $0 * (perLevel + 1), perLevel + 1) }
        let isMirrored = ups == downs.reversed()
        return [
            "transformer_layers_per_block": .array(downs),
            "reverse_transformer_layers_per_block": isMirrored ? .null : .array(ups), "mid_block_type": middle(c),
        ]
    }

    /// Blocks of the transformers behind `count` residual blocks: one number where all have as many, and 1 where there
    /// is no transformer.
    private func depths(_ c: AuthorComponent, _ way: String, from first: Int, _ count: Int) -> JSONValue {
        let depths = (first..<first + count).map { max(c.count(after: "\(way).\($0).1.transformer_blocks."), 1) }
        return Set(depths).count == 1 ? .integer(depths[0]) : integers(depths)
    }

    /// The class of the middle: a transformer between two residual blocks, one such block, or nothing.
    private func middle(_ c: AuthorComponent) -> JSONValue {
        switch c.count(after: "middle_block.") {
        case 0: .null
        case 1: "UNetMidBlock2D"
        default: "UNetMidBlock2DCrossAttn"
        }
    }

    private func mmdit(_ c: AuthorComponent) -> JSONValue {
        let width = rows(c, "x_embedder.proj.weight")
        // Heads have as many channels as their norm; where there is none, 64.
        let head = c.shape("joint_blocks.0.x_block.attn.ln_q.weight")?.first ?? min(64, max(width, 1))
        let depth = c.count(after: "joint_blocks.")
        let dual = (0..<depth).filter { c.contains("joint_blocks.\($0).x_block.attn2.qkv.weight") }
        let positions = c.shape("pos_embed").flatMap { $0.count == 3 ? $0[1] : nil } ?? 0
        return [
            "_class_name": "SD3Transformer2DModel", "sample_size": 128,
            "in_channels": .integer(columns(c, "x_embedder.proj.weight")),
            "out_channels": .integer(columns(c, "x_embedder.proj.weight")),
            "patch_size": .integer(c.shape("x_embedder.proj.weight")?.last ?? 2), "num_layers": .integer(depth),
            "num_attention_heads": .integer(width / head), "attention_head_dim": .integer(head),
            "caption_projection_dim": .integer(width),
            "joint_attention_dim": .integer(columns(c, "context_embedder.weight")),
            "pooled_projection_dim": .integer(columns(c, "y_embedder.mlp.0.weight")),
            "pos_embed_max_size": .integer(Int(Double(positions).squareRoot().rounded())),
            "qk_norm": c.contains("joint_blocks.0.x_block.attn.ln_q.weight") ? "rms_norm" : .null,
            "dual_attention_layers": integers(dual),
        ]
    }

    private func flux(_ c: AuthorComponent) -> JSONValue {
        let head = rows(c, "double_blocks.0.img_attn.norm.query_norm.scale")
        // Of 128 channels 56 turn with the row, 56 with the column.
        let side = 2 * (7 * head / 32)
        return [
            "_class_name": "FluxTransformer2DModel", "patch_size": 1,
            "in_channels": .integer(columns(c, "img_in.weight")),
            "num_layers": .integer(c.count(after: "double_blocks.")),
            "num_single_layers": .integer(c.count(after: "single_blocks.")),
            "num_attention_heads": .integer(rows(c, "img_in.weight") / max(head, 1)),
            "attention_head_dim": .integer(head), "joint_attention_dim": .integer(columns(c, "txt_in.weight")),
            "pooled_projection_dim": .integer(columns(c, "vector_in.in_layer.weight")),
            "guidance_embeds": .bool(c.contains("guidance_in.in_layer.weight")),
            "axes_dims_rope": integers([head - 2 * side, side, side]),
        ]
    }

    // MARK: The autoencoder

    private func autoencoder(_ c: AuthorComponent) -> JSONValue {
        let channels = (0..<c.count(after: "encoder.down.")).map {
            rows(c, "encoder.down.\($0).block.0.conv1.weight")
        }
        let (scale, shift) = kind.latents
        return [
            "_class_name": "AutoencoderKL", "block_out_channels": integers(channels),
            "layers_per_block": .integer(c.count(after: "encoder.down.0.block.")),
            "norm_num_groups": .integer(groups(channels)),
            "latent_channels": .integer(columns(c, "decoder.conv_in.weight")), "scaling_factor": .number(scale),
            "shift_factor": .number(shift), "use_quant_conv": .bool(c.contains("quant_conv.weight")),
            "use_post_quant_conv": .bool(c.contains("post_quant_conv.weight")), "mid_block_add_attention": true,
        ]
    }

    /// 32 in every one of them.
    private func groups(_ channels: [Int]) -> Int { min(32, channels.min() ?? 32) }

    // MARK: Text encoders

    private func textTower(_ c: AuthorComponent, _ layers: String, isLarge: Bool) -> JSONValue {
        tower(
            table: c.shape("text_model.embeddings.token_embedding.weight"),
            length: rows(c, "text_model.embeddings.position_embedding.weight"),
            hidden: rows(c, "\(layers).0.mlp.fc1.weight"), layers: c.count(after: layers + "."),
            projection: c.shape("text_projection.weight")?.first, isLarge: isLarge)
    }

    private func openTextTower(_ c: AuthorComponent) -> JSONValue {
        tower(
            table: c.shape("token_embedding.weight"), length: rows(c, "positional_embedding"),
            hidden: rows(c, "transformer.resblocks.0.mlp.c_fc.weight"),
            layers: c.count(after: "transformer.resblocks."), projection: c.shape("text_projection")?.last,
            isLarge: true)
    }

    private func tower(
        table: [Int]?, length: Int, hidden: Int, layers: Int, projection: Int?, isLarge: Bool
    ) -> JSONValue {
        let width = table?.last ?? 0
        return [
            // Every one of them has heads of 64 channels.
            "hidden_size": .integer(width), "num_attention_heads": .integer(max(width / 64, 1)),
            "intermediate_size": .integer(hidden), "num_hidden_layers": .integer(layers),
            "max_position_embeddings": .integer(length), "vocab_size": .integer(table?.first ?? 0),
            // OpenAI's ViT-L was trained with the quick one, OpenCLIP's bigG was not; 2 stands for the largest id.
            "hidden_act": isLarge ? "gelu" : "quick_gelu", "layer_norm_eps": 0.00001, "eos_token_id": 2,
            "projection_dim": .integer(projection ?? width),
        ]
    }

    private func t5(_ c: AuthorComponent) -> JSONValue {
        let attention = "encoder.block.0.layer.0.SelfAttention"
        let heads = c.shape("\(attention).relative_attention_bias.weight")?.last ?? 1
        let table = c.shape("shared.weight") ?? c.shape("encoder.embed_tokens.weight") ?? []
        let feedForward = "encoder.block.0.layer.1.DenseReluDense"
        let isGated = c.contains("\(feedForward).wi_1.weight")
        return [
            "model_type": "t5", "vocab_size": .integer(table.side(0) ?? 0), "d_model": .integer(table.side(1) ?? 0),
            "d_kv": .integer(rows(c, "\(attention).q.weight") / max(heads, 1)), "num_heads": .integer(heads),
            "d_ff": .integer(rows(c, "\(feedForward).\(isGated ? "wi_0" : "wi").weight")),
            "num_layers": .integer(c.count(after: "encoder.block.")),
            "relative_attention_num_buckets": .integer(rows(c, "\(attention).relative_attention_bias.weight")),
            "relative_attention_max_distance": 128, "layer_norm_epsilon": 0.000001,
            "feed_forward_proj": isGated ? "gated-gelu" : "relu",
        ]
    }

    private func integers(_ values: [Int]) -> JSONValue { .array(values.map(JSONValue.integer)) }

    // MARK: The whole

    /// What diffusers' `scheduler_config.json` of the model says; of SD3 medium, whose steps and guidance are its
    /// authors' too, what their reference code draws it with (Stability-AI/sd3.5, sd3_infer.py).
    func schedule(of network: AuthorComponent) -> JSONValue {
        let isGuided = network.contains("guidance_in.in_layer.weight")
        switch kind {
        case .sdxl:
            return [
                "_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
                "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
                "prediction_type": .string(network.predictsVelocity ? "v_prediction" : "epsilon"),
                // A schedule that ends in noise alone is visited at its end, and so is one that few steps visit.
                "timestep_spacing": .string(network.endsInNoise || isTurbo ? "trailing" : "leading"),
                "steps_offset": 1,
                "interpolation_type": "linear", "use_karras_sigmas": false,
                "rescale_betas_zero_snr": .bool(network.endsInNoise),
            ]
        case .sd3:
            let normsHeads = network.contains("joint_blocks.0.x_block.attn.ln_q.weight")
            return [
                "_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000,
                "shift": normsHeads ? 3 : 1,
            ]
        case .flux where isGuided:
            return [
                "_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3,
                "base_image_seq_len": 256, "base_shift": 0.5, "max_image_seq_len": 4096, "max_shift": 1.15,
                "use_dynamic_shifting": true,
            ]
        case .flux:
            return ["_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 1]
        }
    }
}
