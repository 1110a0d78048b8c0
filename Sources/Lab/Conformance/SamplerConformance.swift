import Backbones
import Catalogue
import Layers
import Tensors

/// The samplers, on a model that is linear in its input and in time.
struct SamplerConformance {
    private let fixture: ConformanceCase
    private let tolerance = 1e-4

    /// Of each kind's settings, also of those that a pipeline is drawn without, with a warning.
    private static let built: KeyValuePairs<String, [BuiltSettings]> = [
        "flow_sd3": [.flowSchedule, flowSteps], "flow_flux": [.flowSchedule, .dynamicShift, flowSteps],
        "ddim": [.noiseSchedule, ["thresholding": [false], "eta": [0]]],
        "euler_sdxl": [
            .noiseSchedule,
            ["final_sigmas_type": ["zero"], "use_exponential_sigmas": [false], "use_beta_sigmas": [false]],
        ],
    ]
    private static let flowSteps: BuiltSettings = [
        "use_karras_sigmas": [false], "use_exponential_sigmas": [false], "use_beta_sigmas": [false],
        "stochastic_sampling": [false],
    ]

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        for (kind, settings) in Self.built {
            for built in settings { try fixture.hold(built, at: kind) }
        }
    }

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
