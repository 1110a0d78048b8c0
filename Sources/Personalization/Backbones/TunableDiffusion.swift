import Backbones
import Jobs
import Tensors

/// A latent diffusion model that concepts are learnt on: the embedded one and the released pipelines differ in how they
/// read a concept's word alone.
package protocol TunableDiffusion: LatentDiffusion, TunableBackbone {}

extension DiffusionModel: TunableDiffusion {}

extension DiffusionPipeline: TunableDiffusion {
    /// A rare word that all of its text encoders know how to spell.
    package func identifier(of role: ConceptRole) -> String { ConceptSpellings.word(of: role) }

    /// Of the prompt as it is spelled: placeholders are words there.
    package func tokenCounter(naming placeholders: [String], spelled: ConceptSpellings) -> (String) -> Int {
        { self.tokenCount(spelled($0)) }
    }
}

extension TunableDiffusion {
    /// Ends of the names of the attention projections that read the words: those of their own stream, or, where they
    /// have none, of what the picture reads of them.
    package var textModules: [String] {
        let stream = ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
        let hasStream = attentionModules.contains { $0.hasSuffix(stream[0]) }
        return hasStream ? stream : ["attn2.to_k", "attn2.to_v"]
    }

    /// The longest prompt's, however many concepts there are.
    package func textLimit(concepts: Int) -> Int { longestPrompt }

    /// The class is drawn by the model's usual sampler and guidance.
    package func dreamBooth(of concept: Concept, priorPictures: Int, seed: UInt64) -> DreamBooth {
        freeze()
        let model = self
        let words = DiffusionWords(rare: [], for: model, seed: seed)
        let word = concept.word(on: model)
        let conceptText = words.text([concept.photoPrompt(word)])
        let named = DiffusionWords(of: concept, for: model, seed: seed)
        let naming = concept.photoPrompt(concept.placeholder)
        let acting = TokenwiseAdapters(learning: [concept])
        let classText = words.text([concept.classPhotoPrompt])
        let drawn = latents(of: classText, seeds: DreamBooth.seeds(seed, priorPictures))
        return DreamBooth(
            model: model, word: word, acting: acting,
            encode: { .map(model.latents([$0])) },
            conceptLoss: { pictures, origins, generator in
                let text = conceptText.repeated(pictures.count).beside(origins)
                let prompts = pictures.map { _ in naming }
                named.begin(acting, prompts, length: text.tokens.shape[1], isGuided: false)
                return model.loss(pictures.maps, text: text, &generator)
            },
            priorLoss: { chosen, generator in
                let latents = Tensor.joined(chosen.map { drawn!.slice($0..<$0 + 1) })
                return model.loss(latents, text: classText.repeated(chosen.count), &generator)
            })
    }

    /// Concepts have embeddings of the text encoder's, or are spelled where those are several.
    package func pairLearner(of concepts: [Concept], seed: UInt64) -> PairLearner {
        freeze()
        let model = self
        let acting = TokenwiseAdapters(learning: concepts)
        let words = DiffusionWords(rare: concepts.map(\.name), for: model, seed: seed)
        let texts = KeptTexts(besides: words.embeddings.values, joined: DiffusionText.joined) { words.text($0) }
        return PairLearner(
            model: model, words: words.embeddings, spellings: words.spellings,
            embedding: { (model as? DiffusionModel)?.startOfPlaceholder(like: $0) }, acting: acting,
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

    /// Latents of a picture of each seed under one text, [N, z, h, w], a few at a time: memory does not grow with their
    /// number. Nil of no seeds.
    private func latents(of text: DiffusionText, seeds: [UInt64]) -> Tensor? {
        guard !seeds.isEmpty else { return nil }
        return Tensor.joined(
            PairLearner.batches(seeds).map { some in
                generateLatents(text.repeated(some.count), sampling: sampling(seeds: some))
            })
    }
}
