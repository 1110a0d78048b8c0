import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A complete Infinity: picture tokenizer, text tokenizer and encoder, and transformer, with what generation needs by
/// default. One code for all sizes; a directory holds the configuration and the weights.
package final class InfinityModel: ReadsPrompts {
    /// What `config.json` says of a model: its parts' sizes, and how it draws unless a job says otherwise.
    package struct Configuration: Codable, Sendable {
        /// What the model is called; a job names its directory.
        package var name: String
        /// Pictures are squares of this many pixels.
        package var pictureSize: Int
        /// Of a picture's tokens; the transformer's own is the same.
        package var schedule: ScaleSchedule
        /// The BSQ-VAE's sizes.
        package var tokenizer: BitwiseTokenizer.Configuration
        /// The text encoder's; its D is the transformer's `textWidth`.
        package var text: T5Encoder.Configuration
        /// The transformer's.
        package var transformer: InfinityTransformer.Configuration
        /// Generation's defaults: guidance and temperature for every scale.
        package var guidance: ByScale
        /// What logits are divided by.
        var temperature: ByScale
        /// Share of a bit's two values that may be drawn; nil is both.
        package var topP: Float?
        /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
        package var styledPrompt: String?

        /// Bits are drawn from both of their values until `topP` is set.
        package init(
            name: String, pictureSize: Int, schedule: ScaleSchedule, tokenizer: BitwiseTokenizer.Configuration,
            text: T5Encoder.Configuration, transformer: InfinityTransformer.Configuration, guidance: ByScale,
            temperature: ByScale, styledPrompt: String? = nil
        ) {
            self.name = name
            self.pictureSize = pictureSize
            self.schedule = schedule
            self.tokenizer = tokenizer
            self.text = text
            self.transformer = transformer
            self.guidance = guidance
            self.temperature = temperature
            self.styledPrompt = styledPrompt
        }
    }

    /// The files of a model's directory.
    package enum File: String, CaseIterable {
        case configuration = "config.json"
        case tokenizer = "tokenizer.safetensors"
        case text = "text_encoder.safetensors"
        case textTokenizer = "tokenizer.json"
        case transformer = "transformer.safetensors"
    }

    /// As it was read, with the schedule that was asked for.
    package let configuration: Configuration
    /// Cuts prompts to the transformer's `textLength`.
    package let reader: PromptReader
    /// Of the BSQ-VAE, both halves.
    package let tokenizerWeights: Weights
    /// Of the transformer, under the published names.
    package let transformerWeights: Weights
    /// Pictures ↔ features [B, d, h, w] ↔ bits.
    package let tokenizer: BitwiseTokenizer
    /// Texts and maps → logits [B, L, 2·d].
    package let transformer: InfinityTransformer

    /// Parts from sources of their own.
    /// - Throws: `WeightsError` naming what a source lacks or has in another shape.
    package init(
        _ configuration: Configuration, textTokenizer: UnigramTokenizer, tokenizer: Weights.Source,
        text: Weights.Source,
        transformer: Weights.Source
    ) throws(WeightsError) {
        self.configuration = configuration
        reader = PromptReader(
            configuration.text, tokenizer: textTokenizer, weights: text, longest: configuration.transformer.textLength)
        tokenizerWeights = Weights(tokenizer)
        transformerWeights = Weights(transformer)
        self.tokenizer = BitwiseTokenizer(configuration.tokenizer, tokenizerWeights)
        self.transformer = InfinityTransformer(configuration.transformer, transformerWeights)
        for weights in [tokenizerWeights, textWeights, transformerWeights] { try weights.verify() }
    }

    /// Reads a model from its directory.
    /// - Parameter drawing: finds the scales of other pictures than the model's own by the pixels of a token, and the
    ///   last scale that positions are measured by; nil leaves the model's.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package convenience init(
        directory: String,
        drawing: ((_ patch: Int) throws -> (schedule: ScaleSchedule, reference: ScaleSchedule.Side))? = nil
    ) throws {
        func path(_ file: File) -> String { directory + "/" + file.rawValue }
        let configuration = try Configuration(directory: directory, drawing: drawing)
        try self.init(
            configuration, textTokenizer: UnigramTokenizer(path: directory, rows: configuration.text.vocabularySize),
            tokenizer: .stored(.open(path(.tokenizer))),
            text: .stored(.open(path(.text))),
            transformer: .stored(.open(path(.transformer))))
    }

    /// No weight learns: nothing is recorded, no gradient memory is taken.
    package func freeze() {
        for weights in [tokenizerWeights, textWeights, transformerWeights] { weights.train { _ in false } }
    }

    /// Text features of prompts, by the frozen encoder. The features of ids in `splicing` give way to the given rows
    /// [n, D]: a concept learned behind the encoder.
    package func encode(
        _ prompts: [String], tokenizer: UnigramTokenizer? = nil, replacing: [Int32: Variable] = [:],
        splicing: [Int32: Variable] = [:]
    ) -> TextFeatures {
        let ids = ids(prompts, tokenizer: tokenizer)
        return encoder(ids, replacing: replacing).spliced(ids, splicing)
    }

    /// The model's defaults, one guidance and one temperature per scale.
    package func sampling(seeds: [UInt64]) -> Sampling {
        let scales = configuration.schedule.sides.count
        return Sampling(
            guidance: configuration.guidance.values(scales), temperature: configuration.temperature.values(scales),
            topP: configuration.topP ?? 1, seeds: seeds)
    }

    /// One picture per prompt.
    package func generate(_ text: TextFeatures, sampling: Sampling) -> [Picture] {
        Recording.withoutGradients {
            let maps = transformer.generate(text, negative: nil, sampling: sampling)
            return pictures(of: maps)
        }
    }

    /// Pictures through the tokenizer's bits and back.
    package func reconstruct(_ pictures: [Picture]) -> [Picture] {
        Recording.withoutGradients {
            self.pictures(of: maps(pictures))
        }
    }

    private func pictures(of maps: TokenMaps) -> [Picture] {
        PicturesTogether.decoded(maps.sum.shape[0], each: configuration.pixels) {
            tokenizer.decode(Variable(maps.sum.slice($0))).value
        }
    }
}

extension InfinityModel.Configuration {
    /// Reads a model's from its directory, as `InfinityModel.init(directory:drawing:)` takes it.
    package init(
        directory: String,
        drawing: ((_ patch: Int) throws -> (schedule: ScaleSchedule, reference: ScaleSchedule.Side))? = nil
    ) throws {
        let path = "\(directory)/\(InfinityModel.File.configuration.rawValue)"
        self = try ConfigurationFile.read(Self.self, path)
        if let (schedule, reference) = try drawing?(tokenizer.tokenSize) {
            (self.schedule, transformer.schedule) = (schedule, schedule)
            transformer.rotaryReference = reference
        }
        let scales = transformer.schedule.sides.count
        guard scales <= transformer.levels else {
            throw ConfigurationFile.Malformed(
                path: path,
                problem: "/transformer/levels: \(transformer.levels); its pictures are drawn in \(scales) scales")
        }
    }
}
