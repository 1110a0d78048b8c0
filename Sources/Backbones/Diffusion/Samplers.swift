import Glibc
import Tensors

/// A way from noise to a picture: the time steps to visit, and what a model's output at one does to the state.
package protocol DiffusionSampler: Sendable {
    /// What the model is told at each step, latest first; 0…1000.
    var timesteps: [Float] { get }
    /// What standard normal noise is multiplied by to start from.
    var initialScale: Float { get }

    /// The state as the model reads it at step `index`, of any shape.
    func input(_ state: Tensor, at index: Int) -> Tensor

    /// The state after step `index`, from it and the model's output for its `input`, both of one shape.
    func step(_ state: Tensor, output: Tensor, at index: Int) -> Tensor
}

extension DiffusionSampler {
    /// Standard normal noise as it is, of methods whose state is neither shrunk nor blown up.
    package var initialScale: Float { 1 }
    /// The state as it is.
    package func input(_ state: Tensor, at index: Int) -> Tensor { state }

    /// The state [B, …] after all steps, from `noise` of that shape; `model` sees the input and the time step,
    /// `observe` the state after every step.
    package func sample(
        from noise: Tensor, observe: (Int, Tensor) -> Void = { _, _ in },
        model: (_ input: Tensor, _ timestep: Float) -> Tensor
    ) -> Tensor {
        var state = noise.combined(scale: initialScale)
        for (index, timestep) in timesteps.enumerated() {
            state = step(state, output: model(input(state, at: index), timestep), at: index)
            observe(index, state)
        }
        return state
    }
}

extension Tensor {
    /// scale · self (+ otherScale · other), of one shape.
    fileprivate func combined(scale: Float, _ other: Tensor? = nil, scale otherScale: Float = 0) -> Tensor {
        let y = Tensor(uninitialized: shape)
        for i in 0..<count { y.pointer[i] = scale * pointer[i] }
        if let other { y.accumulate(other, scale: otherScale) }
        return y
    }
}

/// Euler's method along a straight flow from noise to picture (Esser et al., arXiv 2403.03206; diffusers'
/// FlowMatchEulerDiscreteScheduler): the model predicts noise − picture.
package struct FlowEuler: DiffusionSampler {
    /// Shares of noise, from 1 down to 0: one more than there are steps.
    package let sigmas: [Float]
    /// σ · 1000, fractions and all.
    package var timesteps: [Float] { sigmas.dropLast().map { $0 * 1000 } }

    private init(_ sigmas: [Double]) { self.sigmas = sigmas.map(Float.init) + [0] }

    /// The share of noise at the first of the thousand steps a model was trained at, where diffusers' scheduler ends
    /// unless the pipeline says otherwise: SD3's does not, FLUX's ends at 1/steps.
    static let leastShare = 1e-3

    /// SD3's: `steps` even steps of time, which `shift` moves towards noise: shift · s / (1 + (shift − 1) · s).
    package init(steps: Int, shift: Double) {
        self.init(Self.even(steps, to: Self.shifted(Self.leastShare, by: shift)).map { Self.shifted($0, by: shift) })
    }

    /// FLUX's where its shift does not grow, as schnell's: steps from 1 to 1/steps, which `shift` moves towards noise.
    package init(evenSteps steps: Int, shift: Double) {
        self.init(Self.even(steps, to: 1 / Double(steps)).map { Self.shifted($0, by: shift) })
    }

    private static func shifted(_ s: Double, by shift: Double) -> Double { shift * s / (1 + (shift - 1) * s) }

    /// From 1 to `last`.
    private static func even(_ steps: Int, to last: Double) -> [Double] {
        (0..<steps).map { 1 + (last - 1) * Double($0) / Double(max(steps - 1, 1)) }
    }

    /// FLUX's: steps from 1 to 1/steps, moved towards noise by e^μ / (e^μ + 1/s − 1), where μ grows with the tokens of
    /// the picture.
    /// - Parameter last: the last step before it is moved; `leastShare` of an SD3 whose shift grows.
    package init(steps: Int, tokens: Int, shift: TokenShift = TokenShift(), endingAt last: Double? = nil) {
        let power = exp(shift.mu(tokens))
        self.init(Self.even(steps, to: last ?? 1 / Double(steps)).map { power / (power + 1 / $0 - 1) })
    }

    /// How μ grows with a picture's tokens, read as FLUX's `scheduler_config.json`.
    package struct TokenShift: Codable, Equatable, Sendable {
        /// μ of `leastTokens`.
        var least = 0.5
        /// μ of `mostTokens`.
        var most = 1.15
        /// Tokens at which μ is `least`, and `most`.
        package var leastTokens = 256
        var mostTokens = 4096

        package init() {}

        private enum CodingKeys: String, CodingKey {
            case least = "base_shift"
            case most = "max_shift"
            case leastTokens = "base_image_seq_len"
            case mostTokens = "max_image_seq_len"
        }

        /// What a file leaves out is FLUX.1-dev's.
        /// - Throws: `DecodingError` for a value of another type.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            least = try keys.value(.least, least)
            most = try keys.value(.most, most)
            leastTokens = try keys.value(.leastTokens, leastTokens)
            mostTokens = try keys.value(.mostTokens, mostTokens)
        }

        /// Linear in the tokens.
        func mu(_ tokens: Int) -> Double {
            least + (most - least) * Double(tokens - leastTokens) / Double(mostTokens - leastTokens)
        }
    }

    /// x + (σ' − σ) · output.
    package func step(_ state: Tensor, output: Tensor, at index: Int) -> Tensor {
        state.combined(scale: 1, output, scale: sigmas[index + 1] - sigmas[index])
    }

    /// (1 − σ) · x + σ · noise, x and noise [B, …], sample b at share `sigmas[b]`: what a model of flows learns from.
    package static func noised(_ x: Tensor, noise: Tensor, sigmas: [Float]) -> Tensor {
        precondition(sigmas.count == x.shape[0] && noise.count == x.count, "\(sigmas.count) shares for \(x.shape)")
        return .joined(
            sigmas.enumerated().map { sample, sigma in
                x.slice(sample..<sample + 1).combined(
                    scale: 1 - sigma, noise.slice(sample..<sample + 1), scale: sigma)
            })
    }
}

/// Euler's method for models that predict noise (Karras et al., arXiv 2206.00364; diffusers' EulerDiscreteScheduler):
/// SDXL's.
package struct NoiseEuler: DiffusionSampler {
    /// Of the training, latest first; between two of them where noise lies as Karras et al. have it.
    package let timesteps: [Float]
    /// √((1 − ᾱ)/ᾱ) at each step, then 0.
    package let sigmas: [Float]
    /// √(σ² + 1) of the largest σ with leading steps, else σ, as diffusers' `init_noise_sigma`.
    package let initialScale: Float
    private let prediction: NoiseSchedule.Prediction

    /// - Parameter steps: of sampling, at most as many as the training had.
    package init(_ schedule: NoiseSchedule, steps: Int) {
        let even = schedule.timesteps(steps)
        let isKarras = schedule.configuration.isKarras
        let sigmas = isKarras ? Self.karras(even.map(schedule.sigma)) : even.map(schedule.sigma)
        let times = isKarras ? sigmas.map(schedule.step(at:)) : even
        timesteps = times.map(Float.init)
        self.sigmas = sigmas.map(Float.init) + [0]
        prediction = schedule.configuration.prediction
        let most = sigmas.max() ?? 0
        initialScale = Float(schedule.configuration.spacing == .leading ? (most * most + 1).squareRoot() : most)
    }

    /// As many as there are, from the first to the last, the seventh roots even (Karras et al., equation 5).
    private static func karras(_ sigmas: [Double]) -> [Double] {
        guard let first = sigmas.first, let last = sigmas.last, sigmas.count > 1 else { return sigmas }
        let (most, least) = (pow(first, 1 / 7), pow(last, 1 / 7))
        return sigmas.indices.map { pow(most + Double($0) / Double(sigmas.count - 1) * (least - most), 7) }
    }

    /// x / √(σ² + 1).
    package func input(_ state: Tensor, at index: Int) -> Tensor {
        state.combined(scale: 1 / (sigmas[index] * sigmas[index] + 1).squareRoot())
    }

    /// x + (σ' − σ) · noise.
    package func step(_ state: Tensor, output: Tensor, at index: Int) -> Tensor {
        let sigma = sigmas[index]
        let change = sigmas[index + 1] - sigma
        switch prediction {
        case .noise: return state.combined(scale: 1, output, scale: change)
        case .velocity:
            // The noise that a velocity stands for: σ/(σ² + 1) · x + v/√(σ² + 1).
            let square = sigma * sigma + 1
            return state.combined(scale: 1 + change * sigma / square, output, scale: change / square.squareRoot())
        }
    }
}

/// Deterministic sampling without a differential equation's solver (Song et al., arXiv 2010.02502; diffusers'
/// DDIMScheduler with η 0).
package struct DDIM: DiffusionSampler {
    /// Of the training, whole numbers, latest first.
    package let timesteps: [Float]
    /// ᾱ at each step, and after it.
    private let retained, afterwards: [Double]
    private let prediction: NoiseSchedule.Prediction
    /// Whether foreseen pictures stay within ±1.
    private let clamps: Bool

    /// - Parameter steps: of sampling, at most as many as the training had.
    package init(_ schedule: NoiseSchedule, steps: Int) {
        let times = schedule.timesteps(steps).map { Int($0.rounded(.toNearestOrEven)) }
        let stride = schedule.configuration.steps / steps
        timesteps = times.map(Float.init)
        retained = times.map { schedule.retained[$0] }
        let last = schedule.configuration.endsClean ? 1 : schedule.retained[0]
        afterwards = times.map { $0 < stride ? last : schedule.retained[$0 - stride] }
        prediction = schedule.configuration.prediction
        clamps = schedule.configuration.clamps
    }

    /// √ᾱ' · picture + √(1 − ᾱ') · noise, with both as the output tells them.
    package func step(_ state: Tensor, output: Tensor, at index: Int) -> Tensor {
        let (kept, added) = (retained[index].squareRoot(), (1 - retained[index]).squareRoot())
        let (keptNext, addedNext) = (afterwards[index].squareRoot(), (1 - afterwards[index]).squareRoot())
        let picture: Tensor
        let noise: Tensor
        switch prediction {
        case .noise:
            picture = state.combined(scale: Float(1 / kept), output, scale: Float(-added / kept))
            noise = output
        case .velocity:
            picture = state.combined(scale: Float(kept), output, scale: Float(-added))
            noise = state.combined(scale: Float(added), output, scale: Float(kept))
        }
        if clamps { for i in 0..<picture.count { picture.pointer[i] = min(max(picture.pointer[i], -1), 1) } }
        return picture.combined(scale: Float(keptNext), noise, scale: Float(addedNext))
    }
}
