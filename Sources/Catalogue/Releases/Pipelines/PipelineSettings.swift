import Jobs

/// What a pipeline's settings ask for that is not built: a model that is drawn otherwise than it was trained is drawn
/// wrong without a word.
struct PipelineSettings {
    let kind: PipelineRelease.Kind
    /// diffusers' settings of the network, the autoencoder and the schedule.
    let network, autoencoder, schedule: JSONValue

    /// What keeps the model from being drawn.
    var problems: [String] {
        held(network, in: "\(kind.network)/config.json", builtNetwork)
            + held(autoencoder, in: "vae/config.json", Self.autoencoder) + scheduleProblems + channelProblems
    }

    /// What is drawn in another way than the settings say.
    var warnings: [String] {
        let solver = schedule["_class_name"]?.string ?? ""
        let isOther = Self.otherSolvers.contains(solver)
        return (isOther ? ["scheduler: \(solver) is not built; Euler's steps are taken"] : [])
            + otherSpacings.map { "scheduler: \($0) is not built; the steps lie as \(spacing) says" }
            + (isOther ? [] : otherEnds)
    }

    /// What says where the steps lie.
    private var spacing: String { kind == .sdxl ? "timestep_spacing" : "shift" }

    /// Places of steps that are asked for and not built.
    private var otherSpacings: [String] {
        let names = ["use_exponential_sigmas", "use_beta_sigmas"] + (kind == .sdxl ? [] : ["use_karras_sigmas"])
        return names.filter { schedule[$0] == .bool(true) }
    }

    /// What is asked for of Euler's steps that is not done.
    private var otherEnds: [String] {
        if kind == .sdxl {
            guard let end = schedule["final_sigmas_type"]?.string, end != "zero" else { return [] }
            return ["scheduler: final_sigmas_type \(end) is not built; the last step leaves no noise"]
        }
        return schedule["stochastic_sampling"] == .bool(true)
            ? ["scheduler: stochastic_sampling is not built; no step adds noise"] : []
    }

    // MARK: What is built

    /// Settings of which only these values are built; so is one that is not there, or null.
    private typealias Built = [(name: String, values: [JSONValue])]

    private var builtNetwork: Built {
        switch kind {
        case .sdxl: Self.unet
        case .sd3: [("qk_norm", ["rms_norm"])]
        case .flux: []
        }
    }

    private static let unet: Built = [
        ("act_fn", ["silu"]), ("mid_block_type", ["UNetMidBlock2DCrossAttn", "UNetMidBlock2D"]),
        ("mid_block_scale_factor", [1]), ("only_cross_attention", [false]), ("mid_block_only_cross_attention", [false]),
        ("dual_cross_attention", [false]), ("attention_type", ["default"]), ("class_embed_type", []),
        ("num_class_embeds", []), ("encoder_hid_dim", []), ("time_embedding_dim", []),
        ("encoder_hid_dim_type", []), ("time_cond_proj_dim", []), ("time_embedding_type", ["positional"]),
        ("resnet_time_scale_shift", ["default"]), ("resnet_skip_time_act", [false]), ("center_input_sample", [false]),
        ("conv_in_kernel", [3]), ("conv_out_kernel", [3]), ("addition_embed_type", ["text_time"]),
        ("time_embedding_act_fn", []), ("timestep_post_act", []), ("cross_attention_norm", []),
        ("flip_sin_to_cos", [true]), ("freq_shift", [0]), ("downsample_padding", [1]),
    ]

    private static let autoencoder: Built = [
        ("_class_name", ["AutoencoderKL"]), ("act_fn", ["silu"]), ("latents_mean", []), ("latents_std", []),
    ]

    private func held(_ settings: JSONValue, in file: String, _ built: Built) -> [String] {
        built.compactMap { name, values in
            guard let value = settings[name], value != .null, !values.contains(value) else { return nil }
            let known = values.isEmpty ? "none" : values.map(\.text).joined(separator: ", ")
            return "\(file): \(name) \(value.brief) is not built; \(known) is"
        }
    }

    // MARK: The schedule

    /// Ways through the same noise as Euler's.
    private static let otherSolvers = [
        "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler", "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler",
        "DPMSolverSDEScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler",
        "UniPCMultistepScheduler", "FlowMatchHeunDiscreteScheduler",
    ]

    private var scheduleProblems: [String] {
        let own = kind == .sdxl ? "EulerDiscreteScheduler" : "FlowMatchEulerDiscreteScheduler"
        let solver = schedule["_class_name"]?.string ?? own
        var built: Built = [("trained_betas", []), ("timestep_type", ["discrete"])]
        if kind == .sdxl {
            built += [
                ("beta_schedule", ["scaled_linear", "linear"]), ("prediction_type", ["epsilon", "v_prediction"]),
                ("timestep_spacing", ["leading", "trailing", "linspace"]), ("interpolation_type", ["linear"]),
                ("sigma_min", []), ("sigma_max", []),
            ]
        } else {
            built += [("shift_terminal", []), ("invert_sigmas", [false])]
            if schedule["use_dynamic_shifting"] == .bool(true) {
                built.append((name: "time_shift_type", values: ["exponential"]))
            }
        }
        return
            (solver == own || Self.otherSolvers.contains(solver)
            ? [] : ["scheduler: \(solver) is not built, nor would Euler's steps draw what it does; \(own) is"])
            + held(schedule, in: "scheduler/scheduler_config.json", built)
    }

    // MARK: Channels

    /// Networks that read more than latents: masks, pictures, depths.
    private var channelProblems: [String] {
        // Settings that are not there say nothing, not even what is usual.
        guard autoencoder != [:] else { return [] }
        let latents = autoencoder["latent_channels"]?.integer ?? 4
        // FLUX.1 reads its latents in squares of two by two.
        let own = kind == .flux ? 4 * latents : latents
        let names = ["in_channels", "out_channels"].filter { name in
            network[name]?.integer.map { $0 != own } ?? false
        }
        return names.map {
            """
            \(kind.network)/config.json: \($0) is \(network[$0]?.integer ?? 0), where the autoencoder's latents make \
            \(own): a network that reads more than latents (inpainting, editing, depth) is not built
            """
        }
    }
}
