import Jobs

/// What a pipeline's settings ask for that is not built: a model that is drawn otherwise than it was trained is drawn
/// wrong without a word.
struct PipelineSettings {
    let kind: PipelineKind
    /// diffusers' settings of the network, the autoencoder and the schedule.
    let network, autoencoder, schedule: JSONValue

    /// What keeps the model from being drawn.
    var problems: [String] {
        held(network, in: "\(kind.network)/config.json", builtNetwork)
            + held(autoencoder, in: "vae/config.json", .autoencoder) + scheduleProblems + channelProblems
            + sizeProblems
    }

    /// Of the usual picture, in latents: as many as 32,768 pixels on a side have.
    private var sizeProblems: [String] {
        guard let side = network["sample_size"]?.integer, !(1...4096).contains(side) else { return [] }
        return ["\(kind.network)/config.json: sample_size \(side); allowed are 1 to 4096"]
    }

    /// What is drawn in another way than the settings say, or looks like a mistake in them.
    var warnings: [String] {
        let solver = schedule["_class_name"]?.string ?? ""
        let isOther = Self.otherSolvers.contains(solver)
        return (isOther ? ["scheduler: \(solver) is not built; Euler's steps are taken"] : [])
            + otherSpacings.map { "scheduler: \($0) is not built; the steps lie as \(spacing) says" }
            + (isOther ? [] : otherEnds) + otherLatents
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

    private var builtNetwork: BuiltSettings {
        switch kind {
        case .sdxl: .unet
        case .sd3: .mmdit
        case .flux: [:]
        }
    }

    private func held(_ settings: JSONValue, in file: String, _ built: BuiltSettings) -> [String] {
        built.problems(in: settings).map { "\(file): \($0)" }
    }

    // MARK: The schedule

    /// Ways through the same noise as Euler's.
    private static let otherSolvers = [
        "DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler", "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler",
        "DPMSolverSDEScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler",
        "UniPCMultistepScheduler", "FlowMatchHeunDiscreteScheduler",
    ]

    /// What a schedule is of whose settings do not say it.
    static func ownSolver(of kind: PipelineKind) -> String {
        kind == .sdxl ? "EulerDiscreteScheduler" : "FlowMatchEulerDiscreteScheduler"
    }

    private var scheduleProblems: [String] {
        let own = Self.ownSolver(of: kind)
        let solver = schedule["_class_name"]?.string ?? own
        let isDynamic = schedule["use_dynamic_shifting"] == .bool(true)
        let built: [BuiltSettings] =
            kind == .sdxl ? [.noiseSchedule] : isDynamic ? [.flowSchedule, .dynamicShift] : [.flowSchedule]
        let problems = built.flatMap { held(schedule, in: "scheduler/scheduler_config.json", $0) }
        if solver == own || Self.otherSolvers.contains(solver) { return problems }
        return ["scheduler: \(solver) is not built, nor would Euler's steps draw what it does; \(own) is"] + problems
    }

    // MARK: Latents

    /// What alone tells an autoencoder from another model's of the same shapes.
    private var otherLatents: [String] {
        guard autoencoder != [:] else { return [] }
        let (scale, shift) = kind.latents
        // What diffusers takes where nothing is said.
        let rows: [(String, Double, Double)] = [("scaling_factor", scale, 0.18215), ("shift_factor", shift, 0)]
        return rows.compactMap { name, usual, standard -> String? in
            let own = autoencoder[name]?.double ?? standard
            guard own != usual else { return nil }
            return "vae/config.json: \(name) is \(own), the released models' \(usual): is the autoencoder this model's?"
        }
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
