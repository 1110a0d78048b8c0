import Backbones
import Layers

extension LlamaGenModel: TunableBackbone {
    /// Of its one attention, which reads captions and codes alike.
    package var attentionModules: [String] { ["attention.wqkv", "attention.wo"] }

    /// The prefix's length, however many concepts there are.
    package func textLimit(concepts: Int) -> Int { configuration.transformer.captionLength }

    /// The class is drawn at the model's own distribution.
    package func dreamBooth(of concept: Concept, priorPictures: Int, seed: UInt64) -> DreamBooth {
        freeze()
        let model = self
        let word = concept.word(on: model)
        let conceptText = encode([concept.photoPrompt(word)])
        let classText = encode([concept.classPhotoPrompt])
        let (acting, naming, tokenizer) = DreamBooth.words(of: concept, in: model)
        let drawn = DreamBooth.codes(
            of: configuration.transformer.codes, seeds: DreamBooth.seeds(seed, priorPictures)
        ) { plain in
            model.generateCodes(classText, at: plain.seeds.map { _ in 0 }, sampling: plain)
        }
        return DreamBooth(
            model: model, word: word, acting: acting,
            encode: { .codes(model.codes([$0])[0]) },
            conceptLoss: { pictures, _, _ in
                acting.begin(pictures.map { _ in naming }, on: model, tokenizer: tokenizer)
                return model.loss(conceptText.repeated(pictures.count), codes: pictures.codes)
            },
            priorLoss: { chosen, _ in
                model.loss(classText.repeated(chosen.count), codes: chosen.map { drawn[$0] })
            })
    }

    /// Concepts have embeddings of the text encoder's.
    package func pairLearner(of concepts: [Concept], seed: UInt64) -> PairLearner {
        freeze()
        let model = self
        let acting = TokenwiseAdapters(learning: concepts)
        let words = ConceptWords(rare: concepts.map(\.name), for: model, seed: seed)
        let texts = words.kept(by: model)
        return PairLearner(
            model: model, words: words.byName, embedding: { model.startOfPlaceholder(like: $0) }, acting: acting,
            encode: { .codes(model.codes([$0])[0]) },
            loss: { pairs, _ in
                acting.begin(pairs.map(\.prompt), on: model, tokenizer: words.tokenizer)
                return model.loss(texts(pairs.map(\.prompt)), codes: pairs.map(\.picture).codes)
            },
            draw: { prompts, seeds in
                let distinct = DistinctTexts(prompts)
                let captions = TextFeatures.joined(distinct.texts.map { words.features([$0], by: model) })
                return model.generate(captions, at: distinct.places, sampling: model.sampling(seeds: seeds))
            })
    }
}
