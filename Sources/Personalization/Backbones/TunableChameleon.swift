import Autograd
import Backbones
import Layers

extension ChameleonModel: TunableBackbone {
    /// Of its one attention, which reads words and pictures alike.
    package var attentionModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj"] }

    /// The text shares its places with the marks, the picture and an image vector for each concept.
    package func textLimit(concepts: Int) -> Int { configuration.promptRoom - concepts + 1 }

    /// Of the prompt in its template.
    package func tokenCounter(naming placeholders: [String], spelled: ConceptSpellings) -> (String) -> Int {
        let tokenizer = textTokenizer.adding(placeholders: placeholders)
        return { self.words($0, tokenizer: tokenizer).count + 1 }
    }

    /// The class is drawn at the model's own distribution.
    package func dreamBooth(of concept: Concept, priorPictures: Int, seed: UInt64) -> DreamBooth {
        freeze()
        let model = self
        let word = concept.word(on: model)
        let conceptPrompt = concept.photoPrompt(word)
        let classPrompt = concept.classPhotoPrompt
        let acting = TokenwiseAdapters(learning: [concept])
        let naming = concept.photoPrompt(concept.placeholder)
        let tokenizer = textTokenizer.adding(placeholders: [concept.placeholder])
        func loss(_ batch: ChameleonBatch) -> Variable {
            batch.loss(model.transformer.logits(batch.ids, batch: batch.count))
        }
        let before = ChameleonPrompt(ids: ids(before: classPrompt))
        let drawn = DreamBooth.codes(
            of: configuration.vocabulary.codes, seeds: DreamBooth.seeds(seed, priorPictures)
        ) { plain in
            model.generateCodes([before], at: plain.seeds.map { _ in 0 }, sampling: plain)
        }
        return DreamBooth(
            model: model, word: word, acting: acting,
            encode: { .shaped(model.encoded([$0])[0]) },
            conceptLoss: { pictures, _, _ in
                let shaped = pictures.shaped
                let batch = ChameleonBatch(shaped.map { model.sequence(conceptPrompt, of: $0) })
                let words = shaped.map { model.words(naming, tokenizer: tokenizer, grid: $0.grid) }
                acting.begin(words, in: batch, tokenizer: tokenizer)
                return loss(batch)
            },
            priorLoss: { chosen, _ in
                loss(ChameleonBatch(chosen.map { model.sequence(classPrompt, codes: drawn[$0]) }))
            })
    }

    /// Concepts have embeddings of the transformer's own.
    package func pairLearner(of concepts: [Concept], seed: UInt64) -> PairLearner {
        freeze()
        let (model, table) = (self, transformer.embedding)
        let acting = TokenwiseAdapters(learning: concepts)
        let words = RareWord.words(concepts.map(\.name), like: table, seed: seed)
        let prompts = ConceptPrompts(model, words: words)
        let tokenizer = textTokenizer.adding(placeholders: concepts.map(\.placeholder))
        let (vocabulary, grid) = (configuration.vocabulary, configuration.grid)
        return PairLearner(
            model: model, words: words, embedding: { table.mean(ofRows: model.textTokenizer.words(amid: $0)) },
            acting: acting,
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
