import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A complete LlamaGen: picture tokenizer, text tokenizer and encoder, and the transformer over picture codes. One code
/// for all sizes; a directory holds the configuration and the weights.
package final class LlamaGenModel: ReadsPrompts {
    package struct Configuration: Codable, Sendable {
        package var name: String
        /// Pictures are squares of this many pixels.
        package var pictureSize: Int
        package var tokenizer: LlamaGenTokenizer.Configuration
        package var text: T5Encoder.Configuration
        package var transformer: LlamaGenTransformer.Configuration
        /// Generation's defaults.
        package var guidance: Float
        package var topK: Int
        package var temperature: Float
        /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
        package var styledPrompt: String?
        /// Whether captions are cleaned before they are read, as the published models' were; not unless said.
        package var cleansCaptions: Bool?
        /// What learning is done with where a job says nothing else: options by methods, which the model's description
        /// takes over; nil where the methods' own values hold.
        package var training: [String: [String: Double]]?

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

    package let configuration: Configuration
    package let reader: PromptReader
    package let tokenizerWeights: Weights
    package let transformerWeights: Weights
    package let tokenizer: LlamaGenTokenizer
    package let transformer: LlamaGenTransformer

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
        try self.init(
            Configuration(directory: directory), textTokenizer: UnigramTokenizer(path: directory),
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

    package func codes(_ pictures: [Picture]) -> [[Int32]] { tokenizer.codes(.pictures(pictures)) }

    package func pictures(_ codes: [[Int32]]) -> [Picture] {
        let side = configuration.transformer.side
        return tokenizer.decode(codes, height: side, width: side).pictures()
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

    /// The model's defaults, or others.
    package func sampling(
        guidance: Float? = nil, topK: Int? = nil, temperature: Float? = nil, seeds: [UInt64]
    ) -> CodeSampling {
        CodeSampling(
            guidance: guidance ?? configuration.guidance, topK: topK ?? configuration.topK,
            temperature: temperature ?? configuration.temperature, seeds: seeds)
    }

    /// One picture's codes per caption. `reading` is told which caption is about to be read, and nil once codes are.
    package func generateCodes(
        _ captions: TextFeatures, sampling: CodeSampling, reading: (Int?) -> Void = { _ in }
    ) -> [[Int32]] {
        transformer.generate(captions.samples, sampling: LlamaGenSampling(sampling), reading: reading)
    }

    /// One picture per caption.
    package func generate(
        _ captions: TextFeatures, sampling: CodeSampling, reading: (Int?) -> Void = { _ in }
    ) -> [Picture] {
        pictures(generateCodes(captions, sampling: sampling, reading: reading))
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
