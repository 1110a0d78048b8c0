import Backbones
import Layers
import Randomness
import Tensors

extension InfinityModel: TunableBackbone {
    /// Of self-attention and of cross-attention.
    package var attentionModules: [String] { ["sa.mat_qkv", "sa.proj", "ca.mat_q", "ca.mat_kv", "ca.proj"] }

    /// Of cross-attention, the keys and values.
    package var textModules: [String] { ["ca.mat_kv"] }

    /// The transformer's, however many concepts there are.
    package func textLimit(concepts: Int) -> Int { configuration.transformer.textLength }

    /// The class is drawn at the model's own distribution.
    package func dreamBooth(of concept: Concept, priorPictures: Int, seed: UInt64) -> DreamBooth {
        freeze()
        let (model, schedule) = (self, configuration.schedule)
        let word = concept.word(on: model)
        let conceptText = encode([concept.photoPrompt(word)])
        let classText = encode([concept.classPhotoPrompt])
        let (acting, naming, tokenizer) = DreamBooth.words(of: concept, in: model)
        let drawn = DreamBooth.seeds(seed, priorPictures).map {
            transformer.generate(classText, sampling: .plain(scales: schedule.sides.count, seeds: [$0]))
        }
        return DreamBooth(
            model: model, word: word, acting: acting,
            encode: { .map(model.features([$0])) },
            conceptLoss: { pictures, _, generator in
                acting.begin(pictures.map { _ in naming }, on: model, tokenizer: tokenizer)
                let maps = model.maps(of: pictures.maps, flips: BitFlips(generator: generator))
                return model.loss(conceptText.repeated(pictures.count), maps: maps)
            },
            // Bits are not flipped here: what the model drew has its own mistakes, and what it said after them.
            priorLoss: { chosen, _ in
                let maps = model.tokenizer.maps(
                    bits: chosen.flatMap { drawn[$0].bits }, batch: chosen.count, schedule: schedule)
                return model.loss(classText.repeated(chosen.count), maps: maps)
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
            encode: { .map(model.features([$0])) },
            loss: { pairs, generator in
                acting.begin(pairs.map(\.prompt), on: model, tokenizer: words.tokenizer)
                let maps = model.maps(of: pairs.map(\.picture).maps, flips: BitFlips(generator: generator))
                return model.loss(texts(pairs.map(\.prompt)), maps: maps)
            },
            draw: { prompts, seeds in
                let features = TextFeatures.joined(DistinctTexts(prompts).read { words.features([$0], by: model) })
                return model.generate(features, sampling: model.sampling(seeds: seeds))
            })
    }
}
