import Jobs

/// Settings of which only these values are built; so is one that is not there, or null.
package struct BuiltSettings: ExpressibleByDictionaryLiteral, Sendable {
    private let rows: [(String, [JSONValue])]

    /// Names with the values that are built; with none of them where only the setting's absence is.
    package init(dictionaryLiteral rows: (String, [JSONValue])...) { self.rows = rows }

    /// What of some settings is not built: a sentence each.
    package func problems(in settings: JSONValue) -> [String] {
        rows.compactMap { name, values in
            guard let value = settings[name], value != .null, !values.contains(value) else { return nil }
            let known = values.isEmpty ? "none" : values.map(\.text).joined(separator: ", ")
            return "\(name) \(value.brief) is not built; \(known) is"
        }
    }
}

extension BuiltSettings {
    /// Of a diffusion model's U-Net, as diffusers' `config.json` has them.
    package static let unet: BuiltSettings = [
        "act_fn": ["silu"], "mid_block_type": ["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"],
        "mid_block_scale_factor": [1], "only_cross_attention": [false], "mid_block_only_cross_attention": [false],
        "dual_cross_attention": [false], "attention_type": ["default"], "class_embed_type": [],
        "num_class_embeds": [], "encoder_hid_dim": [], "time_embedding_dim": [],
        "encoder_hid_dim_type": [], "time_cond_proj_dim": [], "time_embedding_type": ["positional"],
        "resnet_time_scale_shift": ["default"], "resnet_skip_time_act": [false], "center_input_sample": [false],
        "conv_in_kernel": [3], "conv_out_kernel": [3], "addition_embed_type": ["text_time"],
        "time_embedding_act_fn": [], "timestep_post_act": [], "cross_attention_norm": [],
        "flip_sin_to_cos": [true], "freq_shift": [0], "downsample_padding": [1],
    ]

    /// Of its autoencoder.
    package static let autoencoder: BuiltSettings = [
        "_class_name": ["AutoencoderKL"], "act_fn": ["silu"], "latents_mean": [], "latents_std": [],
    ]

    /// Of Stable Diffusion 3's transformer.
    static let mmdit: BuiltSettings = ["qk_norm": ["rms_norm"]]

    /// Of the schedule of a model that predicts noise.
    package static let noiseSchedule: BuiltSettings = [
        "trained_betas": [], "timestep_type": ["discrete"], "beta_schedule": ["scaled_linear", "linear"],
        "prediction_type": ["epsilon", "v_prediction"], "timestep_spacing": ["leading", "trailing", "linspace"],
        "interpolation_type": ["linear"], "sigma_min": [], "sigma_max": [],
    ]

    /// Of that of one that predicts a flow.
    package static let flowSchedule: BuiltSettings = [
        "trained_betas": [], "timestep_type": ["discrete"], "shift_terminal": [], "invert_sigmas": [false],
    ]

    /// Of one that shifts the flow with the picture's size.
    package static let dynamicShift: BuiltSettings = ["time_shift_type": ["exponential"]]
}
