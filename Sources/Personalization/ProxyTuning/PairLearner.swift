import Autograd
import Backbones
import Images
import Layers
import Randomness
import Tensors

/// A backbone as Proxy-Tuning sees it, whatever its family: it learns pictures under prompts that name concepts, and
/// draws such prompts.
package struct PairLearner {
    /// The backbone's; adapters keep it.
    let name: String
    /// What stands for each concept, [1, C]; they can learn.
    let words: [String: Parameter]
    /// The rare word each is spelled by, where they have no embeddings.
    var spellings: [String: String] = [:]
    /// What a noun is to the model, the mean of its tokens' embeddings [1, C]; nil where concepts are spelled.
    var embedding: (_ noun: String) -> Tensor? = { _ in nil }
    let weights: Weights
    let pictureSize: Int
    /// Ends of the names of the modules that change.
    let attentionModules: [String]
    /// Of those that read the words.
    let textModules: [String]
    /// Is told by the loss where the concepts' words are.
    let acting: TokenwiseAdapters
    /// A picture of its size as it learns it, which no training changes.
    let encode: (_ picture: Picture) -> EncodedPicture
    /// The mean loss of pictures under their prompts. What is random about it comes from the generator.
    let loss: (_ pairs: [EncodedPair], _ generator: inout Philox) -> Variable
    /// A picture of each prompt, as the model draws with whatever hangs on it.
    package let draw: (_ prompts: [String], _ seeds: [UInt64]) -> [Picture]

    /// Has a concept's word begin as its class noun, whose looks it then departs from (diffusers' `initializer_token`).
    package func beginWord(of concept: Concept) {
        guard let word = words[concept.name], let noun = embedding(concept.className) else { return }
        word.value.assign(noun)
    }

    /// Ends of the names of the modules that change where changes act on these tokens.
    func modules(_ tokens: ActingTokens) -> [String] { tokens == .prompt ? textModules : attentionModules }

    private static func tokenwise(_ concepts: [String], _ nouns: [String: String]) -> TokenwiseAdapters {
        TokenwiseAdapters(learning: Dictionary(uniqueKeysWithValues: concepts.map { ($0, nouns[$0] ?? "") }))
    }

    /// Pictures drawn at a time: a picture depends on its neighbours in a batch by rounding, so batches never change.
    package static let batch = 8

    /// Seeds of pictures, as many at a time as are drawn.
    static func batches(_ seeds: [UInt64]) -> [[UInt64]] {
        seeds.indices.parts(of: batch).map { Array(seeds[$0]) }
    }

    /// Pictures of any of a concept's class, as the model draws now, under its plain prompt: what must stay.
    package func classPictures(of concept: Concept, seeds: [UInt64]) -> [PicturePair] {
        let prompt = concept.plainClassPrompt
        return PairLearner.batches(seeds).flatMap { some in
            draw(some.map { _ in prompt }, some).map { PicturePair(prompt: prompt, picture: $0) }
        }
    }

    /// - Parameters:
    ///   - concepts: names that prompts may have between angle brackets.
    ///   - nouns: their class nouns by their names, for what acts on their words alone.
    package static func diffusion(
        _ model: any LatentDiffusion, concepts: [String], nouns: [String: String] = [:], seed: UInt64
    ) -> PairLearner {
        model.freeze()
        let acting = tokenwise(concepts, nouns)
        let words = DiffusionWords(rare: concepts, for: model, seed: seed)
        let texts = KeptTexts(besides: words.embeddings.values, joined: DiffusionText.joined) { words.text($0) }
        return PairLearner(
            name: model.settings.name, words: words.embeddings, spellings: words.spellings,
            embedding: { (model as? DiffusionModel)?.startOfPlaceholder(like: $0) },
            weights: model.transformerWeights, pictureSize: model.pictureSize,
            attentionModules: model.attentionModules, textModules: model.textModules, acting: acting,
            encode: { .map(model.latents([$0])) },
            loss: { pairs, generator in
                let text = texts(pairs.map(\.prompt)).beside(pairs.map(\.origin))
                words.begin(acting, pairs.map(\.prompt), length: text.tokens.shape[1], isGuided: false)
                return model.loss(pairs.map(\.picture).maps, text: text, &generator)
            },
            draw: { prompts, seeds in
                let text = DiffusionText.joined(DistinctTexts(prompts).read { words.text([$0]) })
                let sampling = model.sampling(seeds: seeds)
                words.begin(
                    acting, prompts, length: text.tokens.shape[1],
                    isGuided: sampling.isGuided && !model.isToldGuidance)
                defer { acting.end() }
                return model.generate(text, sampling: sampling)
            })
    }

    /// - Parameters:
    ///   - concepts: names that prompts may have between angle brackets.
    ///   - nouns: their class nouns by their names, for what acts on their words alone.
    package static func llamagen(
        _ model: LlamaGenModel, concepts: [String], nouns: [String: String] = [:], seed: UInt64
    ) -> PairLearner {
        model.freeze()
        let acting = tokenwise(concepts, nouns)
        let words = ConceptWords(rare: concepts, for: model, seed: seed)
        func text(_ prompts: [String]) -> TextFeatures { words.features(prompts, by: model) }
        let texts = KeptTexts(besides: words.byName.values, joined: TextFeatures.joined, read: text)
        return PairLearner(
            name: model.configuration.name, words: words.byName,
            embedding: { model.startOfPlaceholder(like: $0) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: model.attentionModules,
            textModules: model.attentionModules, acting: acting,
            encode: { .codes(model.codes([$0])[0]) },
            loss: { pairs, _ in
                acting.begin(pairs.map(\.prompt), on: model, tokenizer: words.tokenizer)
                return model.loss(texts(pairs.map(\.prompt)), codes: pairs.map(\.picture).codes)
            },
            draw: { prompts, seeds in
                let distinct = DistinctTexts(prompts)
                let captions = TextFeatures.joined(distinct.texts.map { text([$0]) })
                return model.generate(captions, at: distinct.places, sampling: model.sampling(seeds: seeds))
            })
    }

    /// - Parameters:
    ///   - concepts: names that prompts may have between angle brackets.
    ///   - nouns: their class nouns by their names, for what acts on their words alone.
    package static func infinity(
        _ model: InfinityModel, concepts: [String], nouns: [String: String] = [:], seed: UInt64
    ) -> PairLearner {
        model.freeze()
        let acting = tokenwise(concepts, nouns)
        let words = ConceptWords(rare: concepts, for: model, seed: seed)
        func text(_ prompts: [String]) -> TextFeatures { words.features(prompts, by: model) }
        let texts = KeptTexts(besides: words.byName.values, joined: TextFeatures.joined, read: text)
        return PairLearner(
            name: model.configuration.name, words: words.byName,
            embedding: { model.startOfPlaceholder(like: $0) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: model.attentionModules, textModules: model.textModules, acting: acting,
            encode: { .map(model.features([$0])) },
            loss: { pairs, generator in
                acting.begin(pairs.map(\.prompt), on: model, tokenizer: words.tokenizer)
                let maps = model.maps(of: pairs.map(\.picture).maps, flips: BitFlips(generator: generator))
                return model.loss(texts(pairs.map(\.prompt)), maps: maps)
            },
            draw: { prompts, seeds in
                let features = TextFeatures.joined(DistinctTexts(prompts).read { text([$0]) })
                return model.generate(features, sampling: model.sampling(seeds: seeds))
            })
    }

    /// - Parameters:
    ///   - concepts: names that prompts may have between angle brackets.
    ///   - nouns: their class nouns by their names, for what acts on their words alone.
    package static func chameleon(
        _ model: ChameleonModel, concepts: [String], nouns: [String: String] = [:], seed: UInt64
    ) -> PairLearner {
        model.freeze()
        let acting = tokenwise(concepts, nouns)
        let table = model.transformer.embedding
        let words = RareWord.words(concepts, like: table, seed: seed)
        let prompts = ConceptPrompts(model, words: words)
        let tokenizer = model.textTokenizer.adding(placeholders: concepts.map { "<\($0)>" })
        let (vocabulary, grid) = (model.configuration.vocabulary, model.configuration.grid)
        return PairLearner(
            name: model.configuration.name, words: words,
            embedding: { table.mean(ofRows: model.textTokenizer.words(amid: $0)) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: model.attentionModules,
            textModules: model.attentionModules, acting: acting,
            encode: { .codes(model.codes([$0])[0]) },
            loss: { pairs, _ in
                let read = pairs.map { prompts($0.prompt) }
                let batch = ChameleonBatch(
                    zip(read, pairs.map(\.picture).codes).map {
                        ChameleonSequence(before: $0.ids, picture: vocabulary.rows($1, grid))
                    })
                acting.begin(
                    pairs.map { model.words($0.prompt, tokenizer: tokenizer) }, in: batch, tokenizer: tokenizer)
                let contexts = read.enumerated().flatMap { sample, prompt in
                    prompt.contexts.map { LayerContext($0.vectors, positions: $0.positions, samples: [sample]) }
                }
                return batch.loss(model.transformer.logits(batch.ids, batch: batch.count, contexts: contexts))
            },
            draw: { texts, seeds in
                let distinct = DistinctTexts(texts)
                return model.generate(
                    distinct.texts.map { prompts($0) }, at: distinct.places, sampling: model.sampling(seeds: seeds))
            })
    }
}
