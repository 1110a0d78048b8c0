import Jobs

/// What a model that is made of a pipeline says of itself.
extension PipelineParts {
    /// For people.
    var title: String {
        switch kind {
        case .sdxl: "Stable Diffusion XL" + (isTurbo ? " turbo" : "")
        case .sd3 where !normsHeads: "Stable Diffusion 3"
        case .sd3: "Stable Diffusion 3.5" + (isLarge ? " large" : "") + (isTurbo ? " turbo" : "")
        case .flux: isGuidedByNetwork ? "FLUX.1 dev" : "FLUX.1 schnell"
        }
    }

    /// - Parameter side: pixels on a side of the pictures, where the user says it.
    func configuration(side: Int?) -> JSONValue {
        let (guidance, steps) = sampling
        let levels = json("vae", "config.json")?["block_out_channels"]?.array?.count ?? 4
        let latents = json(kind.network, "config.json")?["sample_size"]?.integer ?? 128
        // A U-Net halves its latents on every level but one; transformers read them in pairs.
        let halvings = json("unet", "config.json")?["block_out_channels"]?.array?.count ?? 2
        let multiple = 1 << (levels - 1 + halvings - 1)
        // An MMDiT knows no place beyond its table's.
        let known = json("transformer", "config.json")?["pos_embed_max_size"]?.integer.map { $0 * multiple } ?? .max
        let size = side ?? min(latents << (levels - 1), known)
        var members: [String: JSONValue] = [
            "name": .string(title), "pipeline": .string(kind.rawValue), "pictureSize": .integer(size),
            "guidance": .number(guidance), "steps": .integer(steps),
            "sides": [
                "multiple": .integer(multiple), "least": .integer(min(256, size)),
                "most": .integer(min(known, 2 * size)),
            ],
        ]
        members["layers"] = depth.map(JSONValue.integer)
        return .object(members)
    }

    /// What their authors draw with; guidance 1 is none.
    private var sampling: (guidance: Double, steps: Int) {
        switch kind {
        case .sdxl where isTurbo: (1, 4)
        case .sdxl: (5, 50)
        case .sd3 where !normsHeads: (5, 50)
        case .sd3 where isTurbo: (1, 4)
        case .sd3: isLarge ? (4.5, 40) : (5, 50)
        case .flux: isGuidedByNetwork ? (3.5, 50) : (1, 4)
        }
    }

    private var depth: Int? { json(kind.network, "config.json")?["num_layers"]?.integer }

    private var isLarge: Bool { depth ?? 0 > 30 }

    /// Those of 3.5 norm the heads; 3 does not.
    private var normsHeads: Bool { json("transformer", "config.json")?["qk_norm"]?.string == "rms_norm" }

    private var isGuidedByNetwork: Bool {
        json("transformer", "config.json")?["guidance_embeds"] == .bool(true)
    }
}
