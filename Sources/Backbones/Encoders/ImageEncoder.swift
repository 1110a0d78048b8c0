import Autograd
import Checkpoints
import Foundation
import Images
import Layers
import Tensors

/// A network that gives pictures places in a space where near means alike. Its name stands beside everything measured
/// with it.
package protocol ImageEncoder {
    var name: String { get }
    /// One row per picture, [N, D]; not necessarily of length one.
    func embeddings(of pictures: [Picture]) -> Tensor
}

/// The files of an encoder's directory, as Hugging Face lays them out.
package enum EncoderFile: String {
    case configuration = "config.json"
    case weights = "model.safetensors"
    case tokenizer = "tokenizer.json"
    /// open_clip's merge list, where there is no `tokenizer.json`.
    case mergeList = "bpe_simple_vocab_16e6.txt.gz"

    /// Where it is in an encoder's directory.
    package func path(in directory: String) -> String { "\(directory)/\(rawValue)" }
}

/// Pictures or texts enter a network in portions of this many, so that memory does not grow with their number.
package let encoderPortion = 32

/// The rows that `body` gives portions of the elements, joined; nothing is recorded.
private func inPortions<Element>(_ elements: [Element], _ body: ([Element]) -> Variable) -> Tensor {
    precondition(!elements.isEmpty, "there is nothing to encode")
    return Recording.withoutGradients {
        Tensor.joined(
            elements.indices.parts(of: encoderPortion).map { body(Array(elements[$0])).value })
    }
}

/// CLIP with its tokenizer and preparation: pictures and texts in one space.
package struct CLIPEncoder: ImageEncoder {
    /// Its directory's, where it was read from one.
    package let name: String
    /// Both towers, whose embeddings are [N, D].
    package let model: CLIPModel
    /// Marks are among its ids in `marked` alone.
    package let tokenizer: CLIPTokenizer
    /// Pictures of any size → [B, 3, crop, crop].
    package let preparation: PicturePreparation

    /// - Parameter preparation: CLIP's own, straight to the model's size, unless given.
    package init(name: String, model: CLIPModel, tokenizer: CLIPTokenizer, preparation: PicturePreparation? = nil) {
        (self.name, self.model, self.tokenizer) = (name, model, tokenizer)
        self.preparation = preparation ?? .clip(side: model.configuration.vision.pictureSize)
    }

    /// Reads an encoder from its directory, whose name becomes the encoder's.
    /// - Throws: `CheckpointError`, `WeightsError`, `TextTokenizerError`, or an error naming the file that is missing
    ///   or malformed.
    package init(directory: String) throws {
        let configuration = try ConfigurationFile.read(
            CLIPModel.Configuration.self, EncoderFile.configuration.path(in: directory))
        let weights = Weights(.stored(try .open(EncoderFile.weights.path(in: directory))))
        let model = CLIPModel(configuration, weights)
        try weights.verify()
        let list = EncoderFile.mergeList.path(in: directory)
        let isOpenCLIP =
            FileManager.default.fileExists(atPath: list)
            && !FileManager.default.fileExists(atPath: EncoderFile.tokenizer.path(in: directory))
        let tokenizer = try CLIPTokenizer(path: isOpenCLIP ? list : directory)
        try TextTokenizerError.verify(
            ids: tokenizer.vocabularySize, rows: configuration.text.vocabularySize, path: directory)
        self.init(
            name: URL(fileURLWithPath: directory).lastPathComponent, model: model, tokenizer: tokenizer,
            preparation: try PicturePreparation(directory: directory, side: configuration.vision.pictureSize))
    }

    /// Of length one, [N, D].
    package func embeddings(of pictures: [Picture]) -> Tensor {
        inPortions(pictures) { model.embeddings(pictures: Variable(preparation($0))) }
    }

    /// Of length one, [N, D].
    package func embeddings(of texts: [String]) -> Tensor {
        inPortions(texts) { model.embeddings(texts: $0.map(marked)) }
    }

    /// How many ids a text has with both marks, also where the model takes fewer.
    package func count(_ text: String) -> Int { tokenizer.marked(text, length: .max).count }

    /// A text's ids with both marks, as many as the model takes.
    package func marked(_ text: String) -> [Int32] { tokenizer.marked(text, length: model.configuration.text.length) }
}

/// DINO's vision transformer with its preparation; a picture's embedding is its class token's state.
package struct DINOEncoder: ImageEncoder {
    /// Its directory's, where it was read from one.
    package let name: String
    /// Its class token's state, [N, C], is the embedding.
    package let model: DINOModel
    private let preparation: PicturePreparation

    /// Pictures are prepared as DINO's evaluation prepares them, at the model's own size.
    package init(name: String, model: DINOModel) {
        self.name = name
        self.model = model
        preparation = .dino(side: model.configuration.pictureSize)
    }

    /// Reads an encoder from its directory, whose name becomes the encoder's.
    /// - Throws: `CheckpointError`, `WeightsError`, or an error naming the file that is missing or malformed.
    package init(directory: String) throws {
        let configuration = try ConfigurationFile.read(
            DINOModel.Configuration.self, EncoderFile.configuration.path(in: directory))
        let weights = try DINOModel.weights(.open(EncoderFile.weights.path(in: directory)))
        let model = DINOModel(configuration, weights)
        try weights.verify()
        self.init(name: URL(fileURLWithPath: directory).lastPathComponent, model: model)
    }

    /// Class tokens' states [N, C], as they are: not of length one.
    package func embeddings(of pictures: [Picture]) -> Tensor {
        inPortions(pictures) { model.embeddings(Variable(preparation($0))) }
    }
}
