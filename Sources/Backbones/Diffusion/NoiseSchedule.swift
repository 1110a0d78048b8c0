import Glibc
import Tensors

/// How much noise each of the training's time steps holds, for models that predict noise (Ho et al., arXiv 2006.11239):
/// x_t = √ᾱ_t · x + √(1 − ᾱ_t) · noise, with Stable Diffusion's "scaled linear" variances or linear ones.
package struct NoiseSchedule: Sendable {
    /// How sampling steps lie among the training's (diffusers' names).
    package enum Spacing: String, Codable, Sendable { case leading, trailing, linspace }
    /// How variances grow from step to step: linearly, or their roots do.
    package enum Growth: String, Codable, Sendable {
        case ofVariances = "linear"
        case ofRoots = "scaled_linear"
    }

    /// What a model predicts.
    package enum Prediction: String, Codable, Sendable {
        case noise = "epsilon"
        /// √ᾱ · noise − √(1 − ᾱ) · x (Salimans and Ho, arXiv 2202.00512).
        case velocity = "v_prediction"
    }

    /// The settings, read and written as diffusers' `scheduler_config.json`.
    package struct Configuration: Codable, Equatable, Sendable {
        /// β of the first and the last training step.
        var firstVariance, lastVariance: Double
        /// Of the training.
        package var steps: Int
        /// Where sampling visits them.
        var spacing: Spacing
        /// Added to time steps of leading spacing.
        package var offset: Int
        /// What the model was taught to predict.
        package var prediction: Prediction
        /// How β goes from the first to the last.
        var growth: Growth
        /// Whether the variances are scaled so that nothing is left of the picture at the last step (Lin et al., arXiv
        /// 2305.08891, algorithm 1).
        package var endsInNoise: Bool
        /// DDIM's: whether nothing is left of the noise after the last step, where otherwise ᾱ of the first training
        /// step is; and whether pictures that it foresees are clamped to ±1.
        package var endsClean, clamps: Bool
        /// Euler's: whether noise lies between steps as Karras et al. have it (arXiv 2206.00364, equation 5, ρ = 7).
        package var isKarras: Bool

        /// SDXL's unless given.
        package init(
            firstVariance: Double = 0.00085, lastVariance: Double = 0.012, steps: Int = 1000,
            spacing: Spacing = .leading, offset: Int = 1, prediction: Prediction = .noise,
            growth: Growth = .ofRoots, endsInNoise: Bool = false, endsClean: Bool = false, clamps: Bool = false,
            isKarras: Bool = false
        ) {
            (self.firstVariance, self.lastVariance, self.steps) = (firstVariance, lastVariance, steps)
            (self.spacing, self.offset, self.prediction) = (spacing, offset, prediction)
            (self.growth, self.endsInNoise) = (growth, endsInNoise)
            (self.endsClean, self.clamps, self.isKarras) = (endsClean, clamps, isKarras)
        }

        private enum CodingKeys: String, CodingKey {
            case firstVariance = "beta_start"
            case lastVariance = "beta_end"
            case steps = "num_train_timesteps"
            case spacing = "timestep_spacing"
            case offset = "steps_offset"
            case prediction = "prediction_type"
            case growth = "beta_schedule"
            case endsInNoise = "rescale_betas_zero_snr"
            case endsClean = "set_alpha_to_one"
            case clamps = "clip_sample"
            case isKarras = "use_karras_sigmas"
        }

        /// What diffusers takes where a file does not say it differs from solver to solver.
        private enum ClassKey: String, CodingKey { case name = "_class_name" }
        private static let leading = ["DDIMScheduler", "DDPMScheduler", "PNDMScheduler"]

        /// What a file leaves out is diffusers' own default; spacing goes by the solver, `_class_name`, and β is Stable
        /// Diffusion's.
        /// - Throws: `DecodingError` for a value of another type, or an unknown spacing, growth or prediction.
        package init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            let solver = try decoder.container(keyedBy: ClassKey.self).decodeIfPresent(String.self, forKey: .name)
            let usualSpacing = solver.map { Self.leading.contains($0) ? Spacing.leading : .linspace } ?? .leading
            self.init(
                firstVariance: try keys.value(.firstVariance, 0.00085),
                lastVariance: try keys.value(.lastVariance, 0.012),
                steps: try keys.value(.steps, 1000), spacing: try keys.value(.spacing, usualSpacing),
                offset: try keys.value(.offset, 0), prediction: try keys.value(.prediction, .noise),
                growth: try keys.value(.growth, .ofRoots), endsInNoise: try keys.value(.endsInNoise, false),
                endsClean: try keys.value(.endsClean, true), clamps: try keys.value(.clamps, true),
                isKarras: try keys.value(.isKarras, false))
        }
    }

    /// As given; a sampler reads spacing, prediction and clamping from it.
    package let configuration: Configuration
    /// ᾱ of every training step, [steps]: the share of the picture's variance that is left.
    package let retained: [Double]

    /// Computes ᾱ of every step, in double precision.
    package init(_ configuration: Configuration = Configuration()) {
        let c = configuration
        self.configuration = c
        let (first, last) = (c.firstVariance, c.lastVariance)
        func between(_ first: Double, _ last: Double, _ step: Int) -> Double {
            first + (last - first) * Double(step) / Double(max(c.steps - 1, 1))
        }
        var product = 1.0
        let retained = (0..<c.steps).map { step in
            switch c.growth {
            case .ofVariances: product *= 1 - between(first, last, step)
            case .ofRoots:
                let root = between(first.squareRoot(), last.squareRoot(), step)
                product *= 1 - root * root
            }
            return product
        }
        self.retained = c.endsInNoise ? Self.endingInNoise(retained) : retained
    }

    /// √ᾱ shifted to end at nothing and stretched to begin as it did.
    private static func endingInNoise(_ retained: [Double]) -> [Double] {
        let roots = retained.map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last, first > last else { return retained }
        let moved = roots.map { ($0 - last) * first / (first - last) }
        return moved.map { $0 * $0 }
    }

    /// (1 − ᾱ)/ᾱ at a training step. Where nothing is left of the picture ᾱ is diffusers' smallest, for Euler's steps
    /// divide by it.
    private func noiseToPicture(_ step: Int) -> Double {
        let kept = max(retained[step], 0x1p-24)
        return (1 - kept) / kept
    }

    /// √((1 − ᾱ)/ᾱ) at a training step, which may lie between two: noise beside a picture that is not shrunk.
    package func sigma(at step: Double) -> Double {
        func sigma(_ index: Int) -> Double { noiseToPicture(index).squareRoot() }
        let low = min(max(Int(step), 0), retained.count - 1)
        let high = min(low + 1, retained.count - 1)
        return sigma(low) + (sigma(high) - sigma(low)) * (step - Double(low))
    }

    /// The training step, which may lie between two, at which noise is `sigma` beside a picture that is not shrunk:
    /// logarithms are linear between steps.
    package func step(at sigma: Double) -> Double {
        func logarithm(_ index: Int) -> Double { 0.5 * log(noiseToPicture(index)) }
        let wanted = log(max(sigma, 1e-10))
        let low = min(retained.indices.last { logarithm($0) <= wanted } ?? 0, max(retained.count - 2, 0))
        let (least, most) = (logarithm(low), logarithm(min(low + 1, retained.count - 1)))
        return Double(low) + (most > least ? min(max((wanted - least) / (most - least), 0), 1) : 0)
    }

    /// The training steps that `count` sampling steps visit, latest first.
    package func timesteps(_ count: Int) -> [Double] {
        let steps = configuration.steps
        switch configuration.spacing {
        case .leading: return (0..<count).reversed().map { Double($0 * (steps / count) + configuration.offset) }
        case .trailing:
            let stride = Double(steps) / Double(count)
            return (0..<count).map { (Double(steps) - Double($0) * stride).rounded(.toNearestOrEven) - 1 }
        case .linspace:
            return (0..<count).reversed().map { Double(steps - 1) * Double($0) / Double(max(count - 1, 1)) }
        }
    }

    /// √ᾱ · x + √(1 − ᾱ) · noise, x and noise [B, …], sample b at training step `steps[b]`.
    package func noised(_ x: Tensor, noise: Tensor, steps: [Int]) -> Tensor {
        mixed(x, noise, steps) { ($0.squareRoot(), (1 - $0).squareRoot()) }
    }

    /// What the model is to predict there: the noise, or the velocity √ᾱ · noise − √(1 − ᾱ) · x.
    package func target(_ x: Tensor, noise: Tensor, steps: [Int]) -> Tensor {
        switch configuration.prediction {
        case .noise: noise
        case .velocity: mixed(x, noise, steps) { (-(1 - $0).squareRoot(), $0.squareRoot()) }
        }
    }

    /// a · x + b · noise, with both factors of each sample's ᾱ.
    private func mixed(
        _ x: Tensor, _ noise: Tensor, _ steps: [Int], by factors: (Double) -> (Double, Double)
    ) -> Tensor {
        precondition(steps.count == x.shape[0] && noise.count == x.count, "\(steps.count) steps for \(x.shape)")
        let y = Tensor(uninitialized: x.shape)
        let each = x.count / max(steps.count, 1)
        for (sample, step) in steps.enumerated() {
            let pair = factors(retained[step])
            let (kept, added) = (Float(pair.0), Float(pair.1))
            for i in sample * each..<(sample + 1) * each {
                y.pointer[i] = kept * x.pointer[i] + added * noise.pointer[i]
            }
        }
        return y
    }
}
