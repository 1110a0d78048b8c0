import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A complete Chameleon: picture tokenizer, text tokenizer, and the transformer over both vocabularies. One code for
/// all sizes; a directory holds the configuration and the weights.
package final class ChameleonModel {
    /// What `config.json` says of a model: its parts' sizes, and how it draws unless a job says otherwise.
    package struct Configuration: Codable, Equatable, Sendable {
        /// What the model is called; a job names its directory.
        package var name: String
        /// Pictures are squares of this many pixels.
        package var pictureSize: Int
        /// What the transformer's ids stand for.
        package var vocabulary: ChameleonVocabulary
        /// The VQGAN's sizes.
        package var tokenizer: ChameleonTokenizer.Configuration
        /// The transformer's.
        package var transformer: ChameleonTransformer.Configuration
        /// Generation's defaults.
        package var guidance: Float
        /// Codes that may be chosen, the likeliest so many.
        var topK: Int
        /// What logits are divided by.
        var temperature: Float
        /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
        package var styledPrompt: String?
        /// Its captions' word for styles that have no other; nil where nobody knows.
        package var styleNoun: String?
        /// What is said around a prompt, with {width} and {height} of the picture and {prompt}; nil says the prompt
        /// alone.
        package var promptTemplate: String?
        /// Of pictures that are no squares of `pictureSize`; nil of those.
        package var otherGrid: PictureGrid?

        /// `promptTemplate` and `otherGrid` are nil until they are set.
        package init(
            name: String, pictureSize: Int, vocabulary: ChameleonVocabulary,
            tokenizer: ChameleonTokenizer.Configuration,
            transformer: ChameleonTransformer.Configuration, guidance: Float, topK: Int, temperature: Float,
            styledPrompt: String? = nil, styleNoun: String? = nil
        ) {
            self.name = name
            self.pictureSize = pictureSize
            self.vocabulary = vocabulary
            self.tokenizer = tokenizer
            self.transformer = transformer
            self.guidance = guidance
            self.topK = topK
            self.temperature = temperature
            self.styledPrompt = styledPrompt
            self.styleNoun = styleNoun
        }

        /// Codes of a picture: `otherGrid`, or the square of `pictureSize`.
        package var grid: PictureGrid { otherGrid ?? grid(height: pictureSize, width: pictureSize) }
        /// Codes of a picture of so many pixels.
        package func grid(height: Int, width: Int) -> PictureGrid {
            PictureGrid(height: height / tokenizer.patchSize, width: width / tokenizer.patchSize)
        }
        /// Begin-image and the size of every picture.
        package var heading: [Int32] { vocabulary.heading(grid, patchSize: tokenizer.patchSize) }
        /// Marks before and after a prompt, begin-image and the picture's size.
        var opening: Int { vocabulary.opened([]).count + heading.count }
        /// The picture's rows with their ends, and its end.
        var sequence: Int { grid.codes + grid.height + 1 }
        /// Places that the picture leaves for a prompt's words; none or less than none where not even it fits.
        package var promptRoom: Int { transformer.longestSequence - opening - sequence }
    }

    /// The files of a model's directory.
    package enum File: String, CaseIterable {
        case configuration = "config.json"
        case tokenizer = "tokenizer.safetensors"
        case textTokenizer = "tokenizer.json"
        case transformer = "transformer.safetensors"
    }

    /// As it was read, with the grid that was asked for.
    package let configuration: Configuration
    /// Without concepts' placeholders.
    package let textTokenizer: TextTokenizer
    /// Of the VQGAN, both halves and its codebook.
    package let tokenizerWeights: Weights
    /// Of the transformer, under transformers' names.
    package let transformerWeights: Weights
    /// Pictures ↔ codes [h · w].
    package let tokenizer: ChameleonTokenizer
    /// Ids of text and codes → logits [B, T, V].
    package let transformer: ChameleonTransformer

    /// With a Unigram tokenizer, as models made here have.
    /// - Throws: `WeightsError` naming what a source lacks or has in another shape.
    package convenience init(
        _ configuration: Configuration, textTokenizer: UnigramTokenizer, tokenizer: Weights.Source,
        transformer: Weights.Source
    ) throws(WeightsError) {
        try self.init(
            configuration, reading: .unigram(textTokenizer), tokenizer: tokenizer, transformer: transformer)
    }

    /// Parts from sources of their own, with a text tokenizer of either kind.
    /// - Throws: `WeightsError` naming what a source lacks or has in another shape.
    package init(
        _ configuration: Configuration, reading textTokenizer: TextTokenizer, tokenizer: Weights.Source,
        transformer: Weights.Source
    ) throws(WeightsError) {
        self.configuration = configuration
        self.textTokenizer = textTokenizer
        tokenizerWeights = Weights(tokenizer)
        transformerWeights = Weights(transformer)
        self.tokenizer = ChameleonTokenizer(configuration.tokenizer, tokenizerWeights)
        self.transformer = ChameleonTransformer(configuration.transformer, transformerWeights)
        for weights in [tokenizerWeights, transformerWeights] { try weights.verify() }
    }

    /// Reads a model from its directory.
    /// - Parameter size: height and width of the pictures it is to draw; its usual ones unless given.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package convenience init(directory: String, size: (height: Int, width: Int)? = nil) throws {
        func path(_ file: File) -> String { directory + "/" + file.rawValue }
        let configuration = try Configuration(directory: directory, size: size)
        let words = try TextTokenizer(path: directory)
        try TextTokenizerError.verify(
            ids: words.vocabularySize, rows: configuration.transformer.vocabularySize, path: directory)
        try self.init(
            configuration, reading: words, tokenizer: .stored(.open(path(.tokenizer))),
            transformer: .stored(.open(path(.transformer))))
    }

    private init(_ model: ChameleonModel, _ grid: PictureGrid) {
        var configuration = model.configuration
        configuration.otherGrid = grid
        self.configuration = configuration
        (textTokenizer, tokenizer, transformer) = (model.textTokenizer, model.tokenizer, model.transformer)
        (tokenizerWeights, transformerWeights) = (model.tokenizerWeights, model.transformerWeights)
    }

    /// The same model for pictures of another grid: the parts are shared, and nothing is read again.
    package func drawing(_ grid: PictureGrid) -> ChameleonModel {
        grid == configuration.grid ? self : ChameleonModel(self, grid)
    }

    /// No weight learns: nothing is recorded, no gradient memory is taken.
    package func freeze() {
        for weights in [tokenizerWeights, transformerWeights] { weights.train { _ in false } }
    }

    /// Ids of what is said for a prompt, without marks.
    /// - Parameter grid: of the picture; the model's own unless given.
    package func words(_ prompt: String, tokenizer: TextTokenizer? = nil, grid: PictureGrid? = nil) -> [Int32] {
        (tokenizer ?? textTokenizer).words(said(prompt, grid ?? configuration.grid))
    }

    /// A prompt in the model's template.
    private func said(_ prompt: String, _ grid: PictureGrid) -> String {
        let patch = configuration.tokenizer.patchSize
        return PromptTemplate(configuration.promptTemplate).text(
            of: prompt, width: grid.width * patch, height: grid.height * patch)
    }

    /// Everything before the first code of a prompt's picture.
    package func ids(before prompt: String) -> [Int32] {
        configuration.vocabulary.opened(words(prompt)) + configuration.heading
    }

    /// The sequence of a picture's codes after a prompt, or alone, as the unconditional branch of guidance sees it.
    package func sequence(_ prompt: String?, codes: [Int32]) -> ChameleonSequence {
        ChameleonSequence(
            before: prompt.map(ids(before:)) ?? configuration.heading,
            picture: configuration.vocabulary.rows(codes, configuration.grid))
    }

    /// Codes of pictures of one of the model's sizes, each [h · w] row by row.
    package func codes(_ pictures: [Picture]) -> [[Int32]] {
        PicturesTogether.encoded(pictures) { tokenizer.codes($0) }
    }

    /// Codes of pictures of any of the model's sizes; those of one size are encoded together, large ones a few at a
    /// time.
    package func encoded(_ pictures: [Picture]) -> [PictureCodes] {
        let grids = pictures.map { configuration.grid(height: $0.height, width: $0.width) }
        var codes = [[Int32]](repeating: [], count: pictures.count)
        for places in Dictionary(grouping: grids.indices, by: { grids[$0] }).values {
            for (place, own) in zip(places, self.codes(places.map { pictures[$0] })) { codes[place] = own }
        }
        return zip(codes, grids).map { PictureCodes(codes: $0, grid: $1) }
    }

    /// The sequence of a picture of any of the model's sizes after a prompt that says its size.
    package func sequence(_ prompt: String, of picture: PictureCodes) -> ChameleonSequence {
        drawing(picture.grid).sequence(prompt, codes: picture.codes)
    }

    /// Pictures of codes, each of the grid's [h · w] row by row.
    package func pictures(_ codes: [[Int32]]) -> [Picture] {
        let grid = configuration.grid
        return PicturesTogether.decoded(codes.count, each: configuration.pixels) {
            tokenizer.decode(Array(codes[$0]), height: grid.height, width: grid.width)
        }
    }

    /// The model's defaults.
    package func sampling(seeds: [UInt64]) -> CodeSampling {
        CodeSampling(
            guidance: configuration.guidance, topK: configuration.topK, temperature: configuration.temperature,
            seeds: seeds)
    }

    /// One picture's codes per prompt, or of the prompts at `places`.
    package func generateCodes(
        _ prompts: [ChameleonPrompt], at places: [Int]? = nil, sampling: CodeSampling,
        reading: (Int?) -> Void = { _ in }
    ) -> [[Int32]] {
        let places = places ?? Array(prompts.indices)
        return places.indices.parts(of: configuration.drawnTogether).flatMap { some in
            transformer.generate(
                prompts, at: Array(places[some]), heading: configuration.heading, grid: configuration.grid,
                vocabulary: configuration.vocabulary, sampling: sampling.part(some), reading: reading)
        }
    }

    /// One picture per prompt, or of the prompts at `places`.
    package func generate(
        _ prompts: [ChameleonPrompt], at places: [Int]? = nil, sampling: CodeSampling,
        reading: (Int?) -> Void = { _ in }
    ) -> [Picture] {
        pictures(generateCodes(prompts, at: places, sampling: sampling, reading: reading))
    }
}

extension ChameleonModel.Configuration {
    /// Reads a model's from its directory, as `ChameleonModel.init(directory:size:)` takes it.
    package init(directory: String, size: (height: Int, width: Int)? = nil) throws {
        let path = "\(directory)/\(ChameleonModel.File.configuration.rawValue)"
        self = try ConfigurationFile.read(Self.self, path)
        otherGrid = size.map { grid(height: $0.height, width: $0.width) }
        let patch = tokenizer.patchSize
        guard promptRoom > 0 else {
            let longest = transformer.longestSequence
            throw ConfigurationFile.Malformed(
                path: path,
                problem: """
                    /transformer/longestSequence: \(longest); a picture of \(grid.width * patch)×\
                    \(grid.height * patch) pixels and the shortest prompt take \(longest - promptRoom + 1) places
                    """)
        }
    }
}
