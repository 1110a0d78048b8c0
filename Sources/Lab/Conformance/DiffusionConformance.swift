import Autograd
import Backbones
import Layers
import Tensors

extension Conformance {
    /// The report of a case on LlamaGen or on a diffusion model; nil where it is neither.
    static func generatorReport(_ fixture: ConformanceCase) throws -> ConformanceReport? {
        let keys = fixture.configuration
        if keys["cls_token_num"] != nil { return try LlamaGenConformance(fixture).report() }
        if keys["codebook_embed_dim"] != nil { return try LlamaGenTokenizerConformance(fixture).report() }
        if keys["latent_channels"] != nil { return try AutoencoderKLConformance(fixture).report() }
        if keys["flow_sd3"] != nil || keys["euler_sdxl"] != nil || keys["ddim"] != nil {
            return try SamplerConformance(fixture).report()
        }
        if keys["pos_embed_max_size"] != nil || keys["caption_projection_dim"] != nil {
            return try mmditReport(fixture)
        }
        if keys["num_single_layers"] != nil || keys["axes_dims_rope"] != nil { return try fluxReport(fixture) }
        if keys["down_block_types"] != nil { return try unetReport(fixture) }
        return nil
    }

    private static let tolerance = 1e-4

    private static func mmditReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = MMDiT(try fixture.decodedConfiguration(as: MMDiT.Configuration.self), weights)
        try weights.verify()
        var report = ConformanceReport()
        let latents = try fixture.variable("hidden_states")
        let output = model(
            latents, text: try fixture.variable("encoder_hidden_states"),
            pooled: try fixture.variable("pooled_projections"), timesteps: try fixture.tensor("timestep").values)
        report.compare("sample", output.value, try fixture.tensor("sample"), tolerance: tolerance)
        let patch = model.configuration.patchSize
        let positions = model.positions(rows: latents.shape[2] / patch, columns: latents.shape[3] / patch)
        report.compare(
            "pos_embed_cropped", positions.value, try fixture.tensor("pos_embed_cropped"), tolerance: tolerance)
        return report
    }

    private static func fluxReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = FluxTransformer(try fixture.decodedConfiguration(as: FluxTransformer.Configuration.self), weights)
        try weights.verify()
        let places = Tensor.joined([try fixture.places("txt_ids"), try fixture.places("img_ids")])
        let output = model(
            try fixture.variable("hidden_states"), text: try fixture.variable("encoder_hidden_states"),
            pooled: try fixture.variable("pooled_projections"), sigmas: try fixture.tensor("timestep").values,
            guidance: try? fixture.tensor("guidance").values,
            places: (0..<places.rows).map { places.slice($0..<$0 + 1).values })
        var report = ConformanceReport()
        report.compare("sample", output.value, try fixture.tensor("sample"), tolerance: tolerance)
        return report
    }

    private static func unetReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = UNet(try fixture.decodedConfiguration(as: UNet.Configuration.self), weights)
        try weights.verify()
        let isSized = fixture.has("time_ids")
        let sizes = isSized ? try fixture.tensor("time_ids") : Tensor(zeros: [0, 6])
        let output = model(
            try fixture.variable("sample"), timesteps: try fixture.tensor("timestep").values,
            text: try fixture.variable("encoder_hidden_states"),
            pooled: isSized ? try fixture.variable("text_embeds") : nil,
            sizes: (0..<sizes.rows).map { sizes.slice($0..<$0 + 1).values })
        var report = ConformanceReport()
        report.compare("out", output.value, try fixture.tensor("out"), tolerance: tolerance)
        return report
    }
}

extension ConformanceCase {
    /// A recorded tensor as a constant.
    fileprivate func variable(_ name: String) throws -> Variable { Variable(try tensor(name)) }

    /// Recorded places [N, 3]; of [B, N, 3] the first sample's, as diffusers reads them.
    fileprivate func places(_ name: String) throws -> Tensor {
        let places = try tensor(name)
        return places.shape.count == 3 ? places.slice(0..<1).reshaped(Array(places.shape.dropFirst())) : places
    }
}

/// A KL autoencoder, both ways.
private struct AutoencoderKLConformance {
    private let fixture: ConformanceCase
    private let model: AutoencoderKL
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let weights = Weights(.checkpoint(AutoencoderKL.named(try fixture.weights())))
        model = AutoencoderKL(try fixture.decodedConfiguration(as: AutoencoderKL.Configuration.self), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let moments = model.encode(try fixture.variable("image"))
        report.compare("mode", moments.mean.value, try fixture.tensor("mode"), tolerance: tolerance)
        report.compare("logvar", moments.logVariance.value, try fixture.tensor("logvar"), tolerance: tolerance)
        let scaled = model.scaled(moments.mean.value)
        report.compare("model_latents", scaled, try fixture.tensor("model_latents"), tolerance: tolerance)
        try compareDecoding("decoded_mode", moments.mean.value, &report)
        try compareDecoding("decoded_latents", try fixture.tensor("latents"), &report)
        let name = "decoded_from_model_latents"
        try compareDecoding(name, model.unscaled(try fixture.tensor("model_latents")), &report)
        return report
    }

    private func compareDecoding(_ name: String, _ latents: Tensor, _ report: inout ConformanceReport) throws {
        report.compare(name, model.decode(Variable(latents)).value, try fixture.tensor(name), tolerance: tolerance)
    }
}

/// The samplers, on a model that is linear in its input and in time.
private struct SamplerConformance {
    private let fixture: ConformanceCase
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws { self.fixture = fixture }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let names = fixture.recorded.names.filter { $0.hasSuffix(".trajectory") }
        for name in names.map({ String($0.dropLast(".trajectory".count)) }) {
            try compare(name, try sampler(name), &report)
        }
        if fixture.has("alphas_cumprod") {
            let retained = NoiseSchedule(try configuration("ddim")).retained
            report.compare(
                "alphas_cumprod", Tensor(retained.map(Float.init), shape: [retained.count]),
                try fixture.tensor("alphas_cumprod"), tolerance: tolerance)
        }
        if fixture.has("ddim.add_noise") {
            report.compare("ddim.add_noise", try noised(), try fixture.tensor("ddim.add_noise"), tolerance: tolerance)
        }
        return report
    }

    /// The start with noise of each recorded step, [steps, …].
    private func noised() throws -> Tensor {
        let schedule = NoiseSchedule(try configuration("ddim"))
        let (x, noise, steps) = (try fixture.tensor("x0"), try fixture.tensor("b"), noisedSteps)
        guard steps.allSatisfy({ $0 < schedule.retained.count }) else {
            throw ConformanceError(
                folder: fixture.folder,
                problem: "ddim.add_noise is of steps \(steps), and there are \(schedule.retained.count)")
        }
        return .joined(steps.map { schedule.noised(x, noise: noise, steps: [$0]) })
    }

    /// The time steps of `ddim.add_noise`, which stand in words: "… at t = 10, 500, 990".
    private var noisedSteps: [Int] {
        let tensors = fixture.description["tensors"] as? [[String: Any]] ?? []
        let entry = tensors.first { $0["name"] as? String == "ddim.add_noise" }
        let meaning = entry?["meaning"] as? String ?? ""
        let numbers: Substring = meaning.firstRange(of: "t = ").map { meaning[$0.upperBound...] } ?? ""
        let steps = numbers.split { !$0.isNumber }.compactMap { Int($0) }
        return steps.isEmpty ? [10, 500, 990] : steps
    }

    /// `<kind>.<steps>`, and for FLUX `.seq<tokens>`.
    private func sampler(_ name: String) throws -> any DiffusionSampler {
        let parts = name.split(separator: ".")
        guard parts.count >= 2, let steps = Int(parts[1]) else {
            throw ConformanceError(folder: fixture.folder, problem: "\(name) names no number of steps")
        }
        switch parts[0] {
        case "flow_sd3": return FlowEuler(steps: steps, shift: try shift("flow_sd3"))
        case "flow_flux":
            let tokens = parts.count > 2 ? Int(parts[2].dropFirst("seq".count)) ?? 4096 : 4096
            return try fluxSampler(steps: steps, tokens: tokens)
        case "ddim": return DDIM(NoiseSchedule(try configuration("ddim")), steps: steps)
        case "ddim_v":
            var configuration = try configuration("ddim")
            configuration.prediction = .velocity
            return DDIM(NoiseSchedule(configuration), steps: steps)
        case "euler_sdxl": return NoiseEuler(NoiseSchedule(try configuration("euler_sdxl")), steps: steps)
        default: throw ConformanceError(folder: fixture.folder, problem: "there is no sampler for \(name)")
        }
    }

    private func configuration(_ kind: String) throws -> NoiseSchedule.Configuration {
        try fixture.decodedConfiguration(as: NoiseSchedule.Configuration.self, at: kind)
    }

    /// FLUX's steps move with a picture's tokens only where the settings say so, as schnell's do not.
    private func fluxSampler(steps: Int, tokens: Int) throws -> FlowEuler {
        let settings: [String: Any] = try fixture.value("flow_flux")
        guard settings["use_dynamic_shifting"] as? Bool == true else {
            return FlowEuler(evenSteps: steps, shift: try shift("flow_flux"))
        }
        let tokenShift = try fixture.decodedConfiguration(as: FlowEuler.TokenShift.self, at: "flow_flux")
        return FlowEuler(steps: steps, tokens: tokens, shift: tokenShift)
    }

    private func shift(_ kind: String) throws -> Double {
        let settings: [String: Any] = try fixture.value(kind)
        return settings["shift"] as? Double ?? 1
    }

    private func compare(
        _ name: String, _ sampler: any DiffusionSampler, _ report: inout ConformanceReport
    ) throws {
        func compare(_ part: String, _ values: [Float]) throws {
            guard fixture.has("\(name).\(part)") else { return }
            let computed = Tensor(values, shape: [values.count])
            let recorded = try fixture.tensor("\(name).\(part)")
            report.compare("\(name).\(part)", computed, recorded, tolerance: tolerance)
        }
        try compare("timesteps", sampler.timesteps)
        try compare("init_noise_sigma", [sampler.initialScale])
        if let flow = sampler as? FlowEuler { try compare("sigmas", flow.sigmas) }
        if let euler = sampler as? NoiseEuler { try compare("sigmas", euler.sigmas) }
        let recorded = try fixture.tensor("\(name).trajectory")
        report.compare("\(name).trajectory", try trajectory(sampler), recorded, tolerance: tolerance)
        if try !isFloat("\(name).timesteps") {
            report.compareExactly(
                "\(name).timesteps (exact)", sampler.timesteps.map { Int($0) },
                try fixture.recorded.integers("\(name).timesteps"))
        }
    }

    private func isFloat(_ name: String) throws -> Bool {
        guard fixture.has(name) else { return true }
        return switch try fixture.recorded.entry(name).type {
        case .float64, .float32, .float16, .bfloat16: true
        default: false
        }
    }

    /// The states after each step, [steps, …].
    private func trajectory(_ sampler: any DiffusionSampler) throws -> Tensor {
        let (slope, bias) = (try fixture.tensor("A"), try fixture.tensor("b"))
        let start = try fixture.tensor("x0")
        var state = Tensor(start.values.map { $0 * sampler.initialScale }, shape: start.shape)
        var states: [Tensor] = []
        for (index, timestep) in sampler.timesteps.enumerated() {
            let input = sampler.input(state, at: index)
            let output = Tensor(uninitialized: state.shape)
            for i in 0..<output.count {
                output.pointer[i] = slope.pointer[i] * input.pointer[i] + bias.pointer[i] * (timestep / 1000)
            }
            state = sampler.step(state, output: output, at: index)
            states.append(state)
        }
        return .joined(states)
    }
}
