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

    /// - Parameter concepts: names that prompts may have between angle brackets.
    package static func diffusion(_ model: any LatentDiffusion, concepts: [String], seed: UInt64) -> PairLearner {
        model.freeze()
        let words = DiffusionWords(rare: concepts, for: model, seed: seed)
        let texts = KeptTexts(besides: words.embeddings.values, joined: DiffusionText.joined) { words.text($0) }
        return PairLearner(
            name: model.settings.name, words: words.embeddings, spellings: words.spellings,
            embedding: { (model as? DiffusionModel)?.startOfPlaceholder(like: $0) },
            weights: model.transformerWeights, pictureSize: model.pictureSize,
            attentionModules: model.attentionModules,
            encode: { .map(model.latents([$0])) },
            loss: { pairs, generator in
                let text = texts(pairs.map(\.prompt)).beside(pairs.map(\.origin))
                return model.loss(pairs.map(\.picture).maps, text: text, &generator)
            },
            draw: { prompts, seeds in
                let text = DiffusionText.joined(DistinctTexts(prompts).read { words.text([$0]) })
                return model.generate(text, sampling: model.sampling(seeds: seeds))
            })
    }

    /// - Parameter concepts: names that prompts may have between angle brackets.
    package static func llamagen(_ model: LlamaGenModel, concepts: [String], seed: UInt64) -> PairLearner {
        model.freeze()
        let words = ConceptWords(rare: concepts, for: model, seed: seed)
        func text(_ prompts: [String]) -> TextFeatures { words.features(prompts, by: model) }
        let texts = KeptTexts(besides: words.byName.values, joined: TextFeatures.joined, read: text)
        return PairLearner(
            name: model.configuration.name, words: words.byName,
            embedding: { model.startOfPlaceholder(like: $0) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: model.attentionModules,
            encode: { .codes(model.codes([$0])[0]) },
            loss: { pairs, _ in model.loss(texts(pairs.map(\.prompt)), codes: pairs.map(\.picture).codes) },
            draw: { prompts, seeds in
                let distinct = DistinctTexts(prompts)
                let captions = TextFeatures.joined(distinct.texts.map { text([$0]) })
                return model.generate(captions, at: distinct.places, sampling: model.sampling(seeds: seeds))
            })
    }

    /// - Parameter concepts: names that prompts may have between angle brackets.
    package static func infinity(_ model: InfinityModel, concepts: [String], seed: UInt64) -> PairLearner {
        model.freeze()
        let words = ConceptWords(rare: concepts, for: model, seed: seed)
        func text(_ prompts: [String]) -> TextFeatures { words.features(prompts, by: model) }
        let texts = KeptTexts(besides: words.byName.values, joined: TextFeatures.joined, read: text)
        return PairLearner(
            name: model.configuration.name, words: words.byName,
            embedding: { model.startOfPlaceholder(like: $0) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: model.attentionModules,
            encode: { .map(model.features([$0])) },
            loss: { pairs, generator in
                let maps = model.maps(of: pairs.map(\.picture).maps, flips: BitFlips(generator: generator))
                return model.loss(texts(pairs.map(\.prompt)), maps: maps)
            },
            draw: { prompts, seeds in
                let features = TextFeatures.joined(DistinctTexts(prompts).read { text([$0]) })
                return model.generate(features, sampling: model.sampling(seeds: seeds))
            })
    }

    /// - Parameter concepts: names that prompts may have between angle brackets.
    package static func chameleon(_ model: ChameleonModel, concepts: [String], seed: UInt64) -> PairLearner {
        model.freeze()
        let table = model.transformer.embedding
        let words = RareWord.words(concepts, like: table, seed: seed)
        let prompts = ConceptPrompts(model, words: words)
        let (vocabulary, grid) = (model.configuration.vocabulary, model.configuration.grid)
        return PairLearner(
            name: model.configuration.name, words: words,
            embedding: { table.mean(ofRows: model.textTokenizer.words(amid: $0)) }, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: model.attentionModules,
            encode: { .codes(model.codes([$0])[0]) },
            loss: { pairs, _ in
                let read = pairs.map { prompts($0.prompt) }
                let batch = ChameleonBatch(
                    zip(read, pairs.map(\.picture).codes).map {
                        ChameleonSequence(before: $0.ids, picture: vocabulary.rows($1, grid))
                    })
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
