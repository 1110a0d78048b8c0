import Autograd
import Layers
import Tensors

/// How a backbone reads prompts by T5: words become ids, ids become features.
package struct PromptReader {
    /// Without concepts' placeholders; methods that take a `tokenizer` read by theirs instead.
    package let tokenizer: UnigramTokenizer
    /// Features [ΣT, D] of all that a prompt says; frozen unless a method makes `weights` learn.
    package let encoder: T5Encoder
    /// Of the encoder alone, by transformers' names.
    package let weights: Weights
    /// Ids of a prompt, its end mark among them; longer ones are cut.
    package let longest: Int
    /// Whether prompts are cleaned as LlamaGen's captions were.
    package let cleansCaptions: Bool

    init(
        _ configuration: T5Encoder.Configuration, tokenizer: UnigramTokenizer, weights: Weights.Source,
        longest: Int, cleansCaptions: Bool = false
    ) {
        self.weights = Weights(weights)
        (self.tokenizer, self.longest, self.cleansCaptions) = (tokenizer, longest, cleansCaptions)
        encoder = T5Encoder(configuration, self.weights)
    }

    /// A prompt's ids with their end mark, however many there are.
    /// - Parameter tokenizer: the reader's own with concepts' placeholders.
    package func wholeIDs(_ prompt: String, tokenizer: UnigramTokenizer? = nil) -> [Int32] {
        let tokenizer = tokenizer ?? self.tokenizer
        guard cleansCaptions else { return tokenizer.encode(prompt) }
        return tokenizer.encode(CaptionCleaning.cleaned(prompt) { tokenizer.identifier(of: $0) != nil })
    }

    /// Ids of prompts as the encoder reads them, each with its end mark.
    package func ids(_ prompts: [String], tokenizer: UnigramTokenizer? = nil) -> [[Int32]] {
        prompts.map { wholeIDs($0, tokenizer: tokenizer).cut(to: longest) }
    }

    /// Features of prompts, one after the other. Ids in `replacing` take the given embedding [1, D].
    package func features(
        _ prompts: [String], tokenizer: UnigramTokenizer? = nil, replacing: [Int32: Variable] = [:]
    ) -> TextFeatures {
        encoder(ids(prompts, tokenizer: tokenizer), replacing: replacing)
    }
}

/// A backbone that reads prompts by T5.
package protocol ReadsPrompts {
    var reader: PromptReader { get }
}

extension ReadsPrompts {
    /// The reader's, without concepts' placeholders.
    package var textTokenizer: UnigramTokenizer { reader.tokenizer }
    /// The T5 encoder's.
    package var textWeights: Weights { reader.weights }
    /// The reader's: ids → [ΣT, D].
    package var encoder: T5Encoder { reader.encoder }

    /// Ids of prompts as the encoder reads them, each with its end mark; longer ones than the model takes are cut.
    package func ids(_ prompts: [String], tokenizer: UnigramTokenizer? = nil) -> [[Int32]] {
        reader.ids(prompts, tokenizer: tokenizer)
    }

    /// Where a placeholder's embedding starts: the mean of its class noun's token embeddings, [1, D].
    package func startOfPlaceholder(like className: String) -> Tensor {
        encoder.meanEmbedding(textTokenizer.encode(className).dropLast())  // without the end mark
    }
}

extension [Int32] {
    /// At most `length` ids of a text: a longer one loses its end, not its end mark.
    package func cut(to length: Int) -> [Int32] {
        guard count > length, let end = last else { return self }
        return prefix(length - 1) + [end]
    }
}
