import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Randomness
import Tensors

/// A complete latent diffusion model: autoencoder, text tokenizer and encoder, and the transformer whose flow leads
/// from noise to latents. One code for all sizes; a directory holds the configuration and the weights.
package final class DiffusionModel: ReadsPrompts, LatentDiffusion {
    /// What `config.json` says of a model: its parts' sizes, and how it draws unless a job says otherwise.
    package struct Configuration: Codable, Sendable {
        /// What the model is called; a job names its directory.
        package var name: String
        /// Pictures are squares of this many pixels.
        package var pictureSize: Int
        /// The autoencoder's sizes.
        package var autoencoder: AutoencoderKL.Configuration
        /// The text encoder's; its D is the transformer's `textWidth` and `pooledWidth`.
        package var text: T5Encoder.Configuration
        /// Tokens of a text as the transformer sees it: longer ones are cut, shorter ones filled up with zeros.
        package var textLength: Int
        /// The transformer's sizes.
        package var transformer: MMDiT.Configuration
        /// Generation's defaults: guidance scale, steps, and how far steps are moved towards noise.
        package var guidance: Float
        /// Of Euler's method.
        package var steps: Int
        /// As `FlowEuler.init(steps:shift:)` takes it; 1 moves nothing.
        package var shift: Double
        /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
        package var styledPrompt: String?
        /// What learning is done with where a job says nothing else: options by methods, which the model's description
        /// takes over; nil where the methods' own values hold.
        package var training: [String: [String: String]]?

        /// Steps stay even; `training` is nil until it is set.
        package init(
            name: String, pictureSize: Int, autoencoder: AutoencoderKL.Configuration, text: T5Encoder.Configuration,
            textLength: Int, transformer: MMDiT.Configuration, guidance: Float, steps: Int, styledPrompt: String? = nil
        ) {
            (self.name, self.pictureSize, self.autoencoder) = (name, pictureSize, autoencoder)
            (self.text, self.textLength, self.transformer) = (text, textLength, transformer)
            (self.guidance, self.steps, shift, self.styledPrompt) = (guidance, steps, 1, styledPrompt)
        }

        /// Latents of a picture on a side.
        private var latentSide: Int { pictureSize / autoencoder.patchSize }
        /// A picture's latents, [z, h, w].
        package var latentShape: [Int] { [autoencoder.latentChannels, latentSide, latentSide] }
    }

    /// The files of a model's directory.
    package enum File: String, CaseIterable {
        case configuration = "config.json"
        case autoencoder = "autoencoder.safetensors"
        case text = "text_encoder.safetensors"
        case textTokenizer = "tokenizer.json"
        case transformer = "transformer.safetensors"
    }

    /// Ends of the names of the transformer's attention projections, of both streams.
    package let attentionModules = [
        "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "attn.add_q_proj", "attn.add_k_proj",
        "attn.add_v_proj", "attn.to_add_out",
    ]

    /// As it was read; pictures of another size are asked for by `drawnSize`.
    package let configuration: Configuration
    /// At most `positionSide` patches a side, as the transformer's table of positions has.
    package var drawnSize: (height: Int, width: Int)?
    /// Cuts prompts to `textLength`.
    package let reader: PromptReader
    /// Both halves', under diffusers' names.
    package let autoencoderWeights: Weights
    /// The network's, under diffusers' names.
    package let transformerWeights: Weights
    /// Pictures ↔ latents [B, z, h, w].
    package let autoencoder: AutoencoderKL
    /// Predicts noise − picture, [B, z, h, w].
    package let transformer: MMDiT

    /// Parts from sources of their own.
    /// - Throws: `WeightsError` naming what a source lacks or has in another shape.
    package init(
        _ configuration: Configuration, textTokenizer: UnigramTokenizer, autoencoder: Weights.Source,
        text: Weights.Source, transformer: Weights.Source
    ) throws(WeightsError) {
        self.configuration = configuration
        reader = PromptReader(
            configuration.text, tokenizer: textTokenizer, weights: text, longest: configuration.textLength)
        autoencoderWeights = Weights(autoencoder)
        transformerWeights = Weights(transformer)
        self.autoencoder = AutoencoderKL(configuration.autoencoder, autoencoderWeights)
        self.transformer = MMDiT(configuration.transformer, transformerWeights)
        for weights in [autoencoderWeights, textWeights, transformerWeights] { try weights.verify() }
    }

    /// Reads a model from its directory.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package convenience init(directory: String) throws {
        func path(_ file: File) -> String { directory + "/" + file.rawValue }
        let configuration = try Configuration(directory: directory)
        try self.init(
            configuration, textTokenizer: UnigramTokenizer(path: directory, rows: configuration.text.vocabularySize),
            autoencoder: .stored(.open(path(.autoencoder))), text: .stored(.open(path(.text))),
            transformer: .stored(.open(path(.transformer))))
    }

    /// No weight learns: nothing is recorded, no gradient memory is taken.
    package func freeze() {
        for weights in [autoencoderWeights, textWeights, transformerWeights] { weights.train { _ in false } }
    }

    /// Prompts as the transformer reads them, by the text encoder. Ids in `replacing` take the given embedding [1, D].
    package func encode(
        _ prompts: [String], tokenizer: UnigramTokenizer? = nil, replacing: [Int32: Variable] = [:]
    ) -> DiffusionText {
        DiffusionModel.padded(
            reader.features(prompts, tokenizer: tokenizer, replacing: replacing), to: configuration.textLength)
    }

    private static func padded(_ text: TextFeatures, to length: Int) -> DiffusionText {
        let (batch, width) = (text.lengths.count, text.values.value.width)
        let places = text.lengths.enumerated().flatMap { sample, count in (0..<count).map { sample * length + $0 } }
        let tokens = ReplaceRows(places).apply([Variable(Tensor(zeros: [batch * length, width])), text.values])
            .reshaped([batch, length, width])
        let columns = SwapPlanes().apply([tokens]).reshaped([batch * width, length])
        let sums = Linear().apply([columns, Variable(Tensor(repeating: 1, shape: [1, length]))])
        let shares = text.lengths.flatMap { [Float](repeating: 1 / Float(max($0, 1)), count: width) }
        return DiffusionText(
            tokens: tokens,
            pooled: sums.reshaped([batch, width]) * Variable(Tensor(shares, shape: [batch, width])))
    }

    // MARK: As jobs use it

    /// The configuration's.
    package var settings: DiffusionSettings {
        DiffusionSettings(
            name: configuration.name, pictureSize: configuration.pictureSize, guidance: configuration.guidance,
            steps: configuration.steps, styledPrompt: configuration.styledPrompt)
    }

    /// The transformer's.
    package var latentSides: (multiple: Int, most: Int?) { transformer.configuration.latentSides }

    /// `textLength`.
    package var longestPrompt: Int { configuration.textLength }

    /// Ids of the T5 tokenizer, the end mark among them.
    package func tokenCount(_ prompt: String) -> Int { reader.wholeIDs(prompt).count }

    /// Guidance is computed: every picture once more, without its prompt.
    package let isToldGuidance = false

    /// The empty prompt, `count` times; never nil.
    package func unprompted(_ count: Int) -> DiffusionText? { encode([""]).repeated(count) }

    /// Euler's method along the flow, with the configuration's shift.
    package func sampler(steps: Int, latents shape: [Int]) -> any DiffusionSampler {
        FlowEuler(steps: steps, shift: configuration.shift)
    }

    /// Noise − picture, [B, z, h, w]; `guidance` is not read.
    package func predicted(
        _ latents: Variable, timesteps: [Float], text: DiffusionText, guidance: Float
    ) -> Variable {
        transformer(latents, text: text.tokens, pooled: text.pooled, timesteps: timesteps)
    }

    /// At a logit-normal share of noise for every picture, as `FlowNoise` draws it.
    package func loss(_ latents: Tensor, text: DiffusionText, _ generator: inout Philox) -> Variable {
        flowLoss(latents, text: text, at: FlowNoise(shape: latents.shape, generator: &generator))
    }
}

extension DiffusionModel.Configuration {
    /// Reads a model's from its directory.
    package init(directory: String) throws {
        self = try ConfigurationFile.read(Self.self, "\(directory)/\(DiffusionModel.File.configuration.rawValue)")
    }
}
