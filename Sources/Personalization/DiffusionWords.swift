import Autograd
import Backbones
import Jobs
import Layers
import Tensors

/// What a diffusion model reads where a prompt names a concept: an embedding of its text encoder's, or, where released
/// encoders are several, a rare word that all of them know how to spell.
struct DiffusionWords {
    private enum Form {
        case embedded(DiffusionModel, ConceptWords)
        case spelled(DiffusionPipeline, ConceptSpellings)
    }

    private let form: Form

    /// Concepts with words that no text has.
    /// - Parameter concepts: names.
    init(rare concepts: [String], for model: any LatentDiffusion, seed: UInt64) {
        if let model = model as? DiffusionModel {
            form = .embedded(model, ConceptWords(rare: concepts, for: model, seed: seed))
        } else {
            form = .spelled(model as! DiffusionPipeline, ConceptSpellings(of: concepts))
        }
    }

    /// A concept that is learnt alone, by the word that it goes by.
    init(of concept: Concept, for model: any LatentDiffusion, seed: UInt64) {
        if let model = model as? DiffusionModel {
            form = .embedded(model, ConceptWords(rare: [concept.name], for: model, seed: seed))
        } else {
            form = .spelled(model as! DiffusionPipeline, ConceptSpellings(of: concept))
        }
    }

    /// Concepts as their adapters know them.
    /// - Parameter strengths: how much of each embedding that was learnt acts, by name, where that is not all.
    /// - Throws: `AdapterError` for an adapter that has no word for its concept, or one of another width.
    init(
        _ adapters: [String: Adapter], for model: any LatentDiffusion, strengths: [String: Float]
    ) throws(AdapterError) {
        if let model = model as? DiffusionModel {
            form = .embedded(model, try ConceptWords(adapters, for: model, strengths: strengths))
        } else {
            form = .spelled(model as! DiffusionPipeline, try ConceptSpellings(adapters))
        }
    }

    /// Embeddings of concepts, [1, D] each; none where they are spelled.
    var embeddings: [String: Parameter] {
        guard case .embedded(_, let words) = form else { return [:] }
        return words.byName
    }

    /// The rare words of concepts that are spelled.
    var spellings: [String: String] {
        guard case .spelled(_, let spellings) = form else { return [:] }
        return spellings.byName
    }

    /// Prompts as the network reads them; of the gradient, what leads to words that learn.
    func text(_ prompts: [String]) -> DiffusionText {
        switch form {
        case .embedded(let model, let words):
            model.encode(prompts, tokenizer: words.tokenizer, replacing: words.embeddings)
        case .spelled(let model, let spellings): model.encode(prompts.map { spellings($0) })
        }
    }

    /// Tells adapters that hang on a model which rows of the texts of prompts are their concepts'.
    /// - Parameters:
    ///   - length: rows of each text.
    ///   - isGuided: whether as many rows of a text without concepts follow.
    func begin(_ adapters: TokenwiseAdapters, _ prompts: [String], length: Int, isGuided: Bool) {
        let all = prompts.count * length * (isGuided ? 2 : 1)
        switch form {
        case .embedded(let model, let words):
            adapters.begin(
                model.ids(prompts, tokenizer: words.tokenizer), stride: length, rows: all,
                tokenizer: .unigram(words.tokenizer))
        case .spelled(let model, let spellings):
            adapters.begin(rows: all) { placeholder, noun in
                prompts.enumerated().flatMap { index, prompt in
                    rows(of: placeholder, noun, in: prompt, spellings, model.prompts.streams)
                        .filter { $0 < length }.map { index * length + $0 }
                }
            }
        }
    }

    /// The rows of one concept's words, found by the order in which a prompt names concepts, for two may be spelled
    /// alike.
    private func rows(
        of placeholder: String, _ noun: String, in prompt: String, _ spellings: ConceptSpellings,
        _ streams: [PipelinePrompts.Stream]
    ) -> [Int] {
        let named = prompt.matches(of: ConceptSpellings.mention).map { String($0.output) }
        let text = spellings(prompt)
        return streams.flatMap { stream -> [Int] in
            let ids = stream.ids(text)
            let behind = stream.words(noun)
            var (rows, from) = ([Int](), 0)
            for name in named {
                guard let spelling = spellings.byName[String(name.dropFirst().dropLast())] else { continue }
                let word = stream.words(spelling)
                guard !word.isEmpty, let place = ids[from...].firstRange(of: word) else { continue }
                from = place.upperBound
                guard name == placeholder else { continue }
                rows += place.map { stream.start + $0 }
                if ids[from...].starts(with: behind) { rows += behind.indices.map { stream.start + from + $0 } }
            }
            return rows
        }
    }
}
