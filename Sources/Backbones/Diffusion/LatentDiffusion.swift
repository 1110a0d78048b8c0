import Autograd
import Images
import Layers
import Randomness
import Tensors

/// What a latent diffusion model does where a job says nothing else.
package struct DiffusionSettings: Codable, Equatable, Sendable {
    /// What the model is called; a job names its directory.
    package var name: String
    /// Pictures are squares of this many pixels.
    package var pictureSize: Int
    /// Guidance scale; 1 leads away from nothing.
    package var guidance: Float
    /// Of the sampler.
    package var steps: Int
    /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
    package var styledPrompt: String?

    /// - Parameter pictureSize: in pixels.
    package init(name: String, pictureSize: Int, guidance: Float, steps: Int, styledPrompt: String? = nil) {
        (self.name, self.pictureSize, self.guidance, self.steps) = (name, pictureSize, guidance, steps)
        self.styledPrompt = styledPrompt
    }
}

/// A latent diffusion model as jobs use it, whatever its network and its text encoders are.
package protocol LatentDiffusion: Backbone {
    var settings: DiffusionSettings { get }
    /// Height and width of the pictures it draws; squares of the settings' size when nil.
    var drawnSize: (height: Int, width: Int)? { get set }
    var autoencoder: AutoencoderKL { get }
    /// What divides the latents on a side that the network takes, and the most it knows places of; nil where they have
    /// no end.
    var latentSides: (multiple: Int, most: Int?) { get }
    /// Each part's weights, by what diffusers calls it; none where the model has a single one.
    var components: [String: Weights] { get }
    /// Ends of the names of the network's attention projections.
    var attentionModules: [String] { get }
    /// Tokens of a prompt that are read, marks among them.
    var longestPrompt: Int { get }
    /// The tokens of a prompt, marks among them, however many there are.
    func tokenCount(_ prompt: String) -> Int
    /// Whether the network is told how strongly the prompt is followed, so that nothing is led away from.
    var isToldGuidance: Bool { get }
    /// What guidance leads away from for `count` pictures; nil where the network is told the guidance instead.
    func unprompted(_ count: Int) -> DiffusionText?
    /// The sampler for latents [B, z, h, w].
    func sampler(steps: Int, latents shape: [Int]) -> any DiffusionSampler
    /// What the network predicts for latents [B, z, h, w] at time steps [B] of 0…1000, of the same shape. `guidance` is
    /// for networks that are told it.
    func predicted(_ latents: Variable, timesteps: [Float], text: DiffusionText, guidance: Float) -> Variable
    /// The mean squared error of the network's prediction on noised `latents` [B, z, h, w]; a single number. Noise and
    /// time steps come from the generator.
    func loss(_ latents: Tensor, text: DiffusionText, _ generator: inout Philox) -> Variable
}

/// How pictures are drawn by diffusion.
package struct DiffusionSampling: Sendable {
    /// Guidance scale; 1 leaves what the prompt says, and so does less, as in diffusers: models that are to be drawn
    /// without guidance are told 0 in their authors' examples.
    package var guidance: Float
    /// Of the sampler, each one pass of the network; over twice the rows where it is guided.
    package var steps: Int
    /// One per picture: a picture's noise depends on its own seed only.
    package var seeds: [UInt64]

    /// - Parameter seeds: one a picture.
    package init(guidance: Float, steps: Int, seeds: [UInt64]) {
        (self.guidance, self.steps, self.seeds) = (guidance, steps, seeds)
    }

    /// Whether anything is led away from.
    package var isGuided: Bool { guidance > 1 }
}

/// Pictures of a size that the network does not take.
package struct UndrawnSize: Error, CustomStringConvertible {
    let name: String
    let height, width, multiple: Int
    let most: Int?

    /// The size, and those that are drawn.
    package var description: String {
        """
        \(name) draws no pictures of \(width)×\(height) pixels: its network takes sides that \(multiple) divides\
        \(most.map { ", of \($0) at most" } ?? "")
        """
    }
}

extension LatentDiffusion {
    /// None: the model has a single part that learns.
    package var components: [String: Weights] { [:] }

    /// The model's defaults, or others.
    package func sampling(guidance: Float? = nil, steps: Int? = nil, seeds: [UInt64]) -> DiffusionSampling {
        DiffusionSampling(guidance: guidance ?? settings.guidance, steps: steps ?? settings.steps, seeds: seeds)
    }

    /// Pixels on the shorter side of its pictures.
    package var pictureSize: Int { drawnSize.map { min($0.height, $0.width) } ?? settings.pictureSize }

    /// A drawn picture's latents, [z, h, w].
    package var latentShape: [Int] {
        let patch = autoencoder.configuration.patchSize
        let (height, width) = drawnSides
        return [autoencoder.configuration.latentChannels, height / patch, width / patch]
    }

    private var drawnSides: (height: Int, width: Int) { drawnSize ?? (settings.pictureSize, settings.pictureSize) }

    /// Holds the pictures it is to draw against what the network takes.
    /// - Throws: ``UndrawnSize``.
    package func verifySize() throws(UndrawnSize) {
        let (patch, (height, width)) = (autoencoder.configuration.patchSize, drawnSides)
        let (multiple, most) = (latentSides.multiple * patch, latentSides.most.map { $0 * patch })
        guard [height, width].allSatisfy({ $0 > 0 && $0 % multiple == 0 && $0 <= most ?? .max }) else {
            throw UndrawnSize(name: settings.name, height: height, width: width, multiple: multiple, most: most)
        }
    }

    /// Latents of pictures as the network sees them, [B, z, h, w]: drawn around their means by `noise` of that shape,
    /// or the means.
    package func latents(_ pictures: [Picture], noise: Tensor? = nil) -> Tensor {
        Recording.withoutGradients {
            let moments = autoencoder.encode(Variable(.pictures(pictures)))
            return autoencoder.scaled(noise.map { moments.sample(noise: $0).value } ?? moments.mean.value)
        }
    }

    /// Latents [B, z, h, w] as pictures [B, 3, H, W], not clamped.
    package func decoded(_ latents: Tensor) -> Tensor {
        Recording.withoutGradients { autoencoder.decode(Variable(autoencoder.unscaled(latents))).value }
    }

    /// Pictures of latents [B, z, h, w] as the network makes them.
    package func pictures(_ latents: Tensor) -> [Picture] {
        let side = autoencoder.configuration.patchSize
        let pixels = latents.shape[2] * latents.shape[3] * side * side
        return PicturesTogether.decoded(latents.shape[0], each: pixels) { decoded(latents.slice($0)) }
    }

    /// Pictures through the latents and back.
    package func reconstruct(_ pictures: [Picture]) -> [Picture] { self.pictures(latents(pictures)) }

    /// One picture per text. Guidance leads away from `negative`, texts of the same number; from the empty prompt when
    /// nil.
    package func generate(
        _ text: DiffusionText, negative: DiffusionText? = nil, sampling: DiffusionSampling
    ) -> [Picture] {
        pictures(generateLatents(text, negative: negative, sampling: sampling))
    }

    /// What is decoded to pictures, [B, z, h, w].
    package func generateLatents(
        _ text: DiffusionText, negative: DiffusionText? = nil, sampling: DiffusionSampling
    ) -> Tensor {
        let count = text.pooled.shape[0]
        precondition(sampling.seeds.count == count, "\(sampling.seeds.count) seeds for \(count) pictures")
        return Recording.withoutGradients {
            let away = sampling.isGuided ? negative ?? unprompted(count) : nil
            return latents(
                text, awayFrom: away, guidance: sampling.guidance, steps: sampling.steps, from: noise(sampling.seeds))
        }
    }

    /// Latents [B, z, h, w] from standard normal noise of that shape. `observe` sees them after every step.
    package func latents(
        _ text: DiffusionText, awayFrom negative: DiffusionText?, guidance: Float, steps: Int, from noise: Tensor,
        observe: (Int, Tensor) -> Void = { _, _ in }
    ) -> Tensor {
        let condition = negative.map { DiffusionText.joined([text, $0]) } ?? text
        return sampler(steps: steps, latents: noise.shape).sample(from: noise, observe: observe) { input, timestep in
            let rows = negative == nil ? input : Tensor.joined([input, input])
            let times = [Float](repeating: timestep, count: rows.shape[0])
            let output = Recording.withoutGradients {
                predicted(Variable(rows), timesteps: times, text: condition, guidance: guidance).value
            }
            return negative == nil ? output : Self.guided(output, by: guidance)
        }
    }

    /// Standard normal noise for a picture of each seed, [B, z, h, w].
    private func noise(_ seeds: [UInt64]) -> Tensor {
        let shape = latentShape
        let each = shape.reduce(1, *)
        let values = seeds.flatMap { seed -> [Float] in
            var generator = Philox(seed: seed, purpose: 0xD1FF, index: 0)
            return (0..<each).map { _ in generator.normal() }
        }
        return Tensor(values, shape: [seeds.count] + shape)
    }

    /// uncond + guidance · (cond − uncond), [B, …], of [2 · B, …], the conditional ones first.
    private static func guided(_ output: Tensor, by guidance: Float) -> Tensor {
        let count = output.shape[0] / 2
        let result = output.slice(count..<2 * count).copy()
        let conditional = output.slice(0..<count)
        for i in 0..<result.count { result.pointer[i] += guidance * (conditional.pointer[i] - result.pointer[i]) }
        return result
    }
}
