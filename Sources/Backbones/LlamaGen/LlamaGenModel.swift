import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A complete LlamaGen: picture tokenizer, text tokenizer and encoder, and the transformer over picture codes. One code
/// for all sizes; a directory holds the configuration and the weights.
package final class LlamaGenModel: ReadsPrompts {
    /// What `config.json` says of a model: its parts' sizes, and how it draws unless a job says otherwise.
    package struct Configuration: Codable, Sendable {
        /// What the model is called; a job names its directory.
        package var name: String
        /// Pictures are squares of this many pixels.
        package var pictureSize: Int
        /// The VQGAN's sizes.
        package var tokenizer: LlamaGenTokenizer.Configuration
        /// The caption encoder's; its D is the transformer's `captionWidth`.
        package var text: T5Encoder.Configuration
        /// The transformer's.
        package var transformer: LlamaGenTransformer.Configuration
        /// Generation's defaults.
        package var guidance: Float
        /// Codes that may be chosen, the likeliest so many.
        var topK: Int
        /// What logits are divided by.
        var temperature: Float
        /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
        package var styledPrompt: String?
        /// Whether captions are cleaned before they are read, as the published models' were; not unless said.
        package var cleansCaptions: Bool?
        /// What learning is done with where a job says nothing else: options by methods, which the model's description
        /// takes over; nil where the methods' own values hold.
        package var training: [String: [String: Double]]?

        /// `cleansCaptions` and `training` are nil until they are set.
        package init(
            name: String, pictureSize: Int, tokenizer: LlamaGenTokenizer.Configuration,
            text: T5Encoder.Configuration, transformer: LlamaGenTransformer.Configuration, guidance: Float, topK: Int,
            temperature: Float, styledPrompt: String? = nil
        ) {
            (self.name, self.pictureSize, self.tokenizer) = (name, pictureSize, tokenizer)
            (self.text, self.transformer) = (text, transformer)
            (self.guidance, self.topK, self.temperature) = (guidance, topK, temperature)
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

    /// As it was read.
    package let configuration: Configuration
    /// Cuts captions to the prefix's length.
    package let reader: PromptReader
    /// Of the VQGAN, both halves and its codebook.
    package let tokenizerWeights: Weights
    /// Of the transformer, under the published names.
    package let transformerWeights: Weights
    /// Pictures ↔ codes [h · w].
    package let tokenizer: LlamaGenTokenizer
    /// Captions and codes → logits [B, N, V].
    package let transformer: LlamaGenTransformer

    /// Parts from sources of their own.
    /// - Throws: `WeightsError` naming what a source lacks or has in another shape.
    package init(
        _ configuration: Configuration, textTokenizer: UnigramTokenizer, tokenizer: Weights.Source,
        text: Weights.Source, transformer: Weights.Source
    ) throws(WeightsError) {
        self.configuration = configuration
        reader = PromptReader(
            configuration.text, tokenizer: textTokenizer, weights: text,
            longest: configuration.transformer.captionLength, cleansCaptions: configuration.cleansCaptions ?? false)
        tokenizerWeights = Weights(tokenizer)
        transformerWeights = Weights(transformer)
        self.tokenizer = LlamaGenTokenizer(configuration.tokenizer, tokenizerWeights)
        self.transformer = LlamaGenTransformer(configuration.transformer, transformerWeights)
        for weights in [tokenizerWeights, textWeights, transformerWeights] { try weights.verify() }
    }

    /// Reads a model from its directory.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package convenience init(directory: String) throws {
        func path(_ file: File) -> String { directory + "/" + file.rawValue }
        let configuration = try Configuration(directory: directory)
        try self.init(
            configuration, textTokenizer: UnigramTokenizer(path: directory, rows: configuration.text.vocabularySize),
            tokenizer: .stored(.open(path(.tokenizer))), text: .stored(.open(path(.text))),
            transformer: .stored(.open(path(.transformer))))
    }

    /// No weight learns: nothing is recorded, no gradient memory is taken.
    package func freeze() {
        for weights in [tokenizerWeights, textWeights, transformerWeights] { weights.train { _ in false } }
    }

    /// Features of prompts, one after the other, by the text encoder; longer ones than the prefix are cut. Ids in
    /// `replacing` take the given embedding [1, D].
    package func encode(
        _ prompts: [String], tokenizer: UnigramTokenizer? = nil, replacing: [Int32: Variable] = [:]
    ) -> TextFeatures {
        reader.features(prompts, tokenizer: tokenizer, replacing: replacing)
    }

    /// Codes of pictures of the model's size, each [side²] row by row.
    package func codes(_ pictures: [Picture]) -> [[Int32]] {
        PicturesTogether.encoded(pictures) { tokenizer.codes($0) }
    }

    /// Pictures of codes, each [side²] row by row.
    package func pictures(_ codes: [[Int32]]) -> [Picture] {
        let side = configuration.transformer.side
        return PicturesTogether.decoded(codes.count, each: configuration.pixels) {
            tokenizer.decode(Array(codes[$0]), height: side, width: side)
        }
    }

    /// Teacher-forced logits [B, N, V] of pictures' codes, each [N], under captions; those in `dropped` read the
    /// prefix of a dropped caption instead.
    package func logits(_ captions: TextFeatures, codes: [[Int32]], dropping dropped: Set<Int> = []) -> Variable {
        let (length, width) = (configuration.transformer.captionLength, configuration.transformer.captionWidth)
        let batch = captions.lengths.count
        let prefixes = Tensor(zeros: [batch * length, width])
        var rows: [Int32] = []
        var places: [Int] = []
        var first = 0
        for (sample, count) in captions.lengths.enumerated() {
            let end = (sample + 1) * length
            if dropped.contains(sample) {
                prefixes.slice(sample * length..<end).assign(transformer.unconditional.value)
            } else {
                rows += (first..<first + count).map { Int32($0) }
                places += end - count..<end
            }
            first += count
        }
        let prefix =
            places.isEmpty
            ? Variable(prefixes)
            : ReplaceRows(places).apply([Variable(prefixes), Gather(rows).apply([captions.values])])
        return transformer.logits(
            captions: prefix.reshaped([batch, length, width]), lengths: captions.lengths, codes: codes.flatMap { $0 })
    }

    /// Mean cross-entropy of pictures' codes under captions.
    package func loss(_ captions: TextFeatures, codes: [[Int32]], dropping dropped: Set<Int> = []) -> Variable {
        let logits = logits(captions, codes: codes, dropping: dropped)
        let targets = codes.flatMap { $0 }
        return CrossEntropy(targets: targets).apply([logits.reshaped([targets.count, logits.value.width])])
    }

    /// The model's defaults.
    package func sampling(seeds: [UInt64]) -> CodeSampling {
        CodeSampling(
            guidance: configuration.guidance, topK: configuration.topK, temperature: configuration.temperature,
            seeds: seeds)
    }

    /// One picture's codes per caption, or of the captions at `places`. `reading` is told which caption is about to be
    /// read, and nil once codes are.
    package func generateCodes(
        _ captions: TextFeatures, at places: [Int]? = nil, sampling: CodeSampling,
        reading: (Int?) -> Void = { _ in }
    ) -> [[Int32]] {
        let (samples, places) = (captions.samples, places ?? Array(captions.lengths.indices))
        return places.indices.parts(of: configuration.drawnTogether).flatMap { some in
            transformer.generate(
                samples, at: Array(places[some]), sampling: LlamaGenSampling(sampling.part(some)), reading: reading)
        }
    }

    /// One picture per caption, or of the captions at `places`.
    package func generate(
        _ captions: TextFeatures, at places: [Int]? = nil, sampling: CodeSampling,
        reading: (Int?) -> Void = { _ in }
    ) -> [Picture] {
        pictures(generateCodes(captions, at: places, sampling: sampling, reading: reading))
    }
}

extension TextFeatures {
    /// Each sample's features alone, [T, D].
    fileprivate var samples: [Tensor] {
        var first = 0
        return lengths.map { count in
            defer { first += count }
            return values.value.slice(first..<first + count)
        }
    }
}

extension LlamaGenModel.Configuration {
    /// Reads a model's from its directory.
    package init(directory: String) throws {
        self = try ConfigurationFile.read(Self.self, "\(directory)/\(LlamaGenModel.File.configuration.rawValue)")
    }
}
