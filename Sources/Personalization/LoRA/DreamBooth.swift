import Autograd
import Backbones
import Images
import Jobs
import Layers
import Randomness
import Tensors

/// A backbone as DreamBooth sees it (Ruiz et al., arXiv 2208.12242): the loss of the references after a prompt with a
/// rare identifier, and that of pictures of the class which the model itself drew before anything was tuned.
///
/// The identifier is a token that pretraining never saw: the tokenizer's unknown word, or of a style its filling.
package struct DreamBooth {
    /// The backbone's; adapters keep it.
    package let name: String
    /// What the concept goes by.
    let word: String
    let weights: Weights
    let pictureSize: Int
    /// Ends of the names of the modules a LoRA adapter changes by default.
    let attentionModules: [String]
    /// Of those that read the words.
    let textModules: [String]
    /// Is told by the losses where the concept's words are.
    let acting: TokenwiseAdapters
    /// A picture of its size as it learns it, which no training changes.
    let encode: (_ picture: Picture) -> EncodedPicture
    /// Mean loss per token of pictures of the concept, of which only some networks are told what they were cut from.
    /// What is random about it, as a diffusion model's noise is, comes from the generator.
    let conceptLoss: (_ pictures: [EncodedPicture], _ origins: [PictureOrigin], _ generator: inout Philox) -> Variable
    /// Mean loss per token of chosen pictures of the class.
    let priorLoss: (_ chosen: [Int], _ generator: inout Philox) -> Variable

    /// Ends of the names of the modules that a LoRA adapter changes which acts on these tokens.
    func modules(_ tokens: ActingTokens) -> [String] { tokens == .prompt ? textModules : attentionModules }

    /// What a concept goes by whose adapter does not say.
    package static let identifier = "<unk>"

    /// A subject and a style that are learnt apart have words of their own in one prompt, as in ZipLoRA and B-LoRA
    /// (arXiv 2311.13600, 2403.14572): one word would mean both of them in either place.
    package static func identifier(of role: ConceptRole) -> String { role == .subject ? Self.identifier : "<pad>" }

    /// What a concept was learnt by where nothing says it: in former versions styles had the word of subjects.
    /// - Parameter model: a diffusion model; nil of another.
    package static func formerIdentifier(in model: (any LatentDiffusion)?) -> String {
        identifier(of: .subject, in: model)
    }

    private static func identifier(of role: ConceptRole, in model: (any LatentDiffusion)?) -> String {
        model.map { DiffusionWords.identifier(of: role, in: $0) } ?? identifier(of: role)
    }

    /// What a concept goes by: the word it has, or the one that its role is given.
    private static func word(of concept: Concept, in model: (any LatentDiffusion)? = nil) -> String {
        concept.word ?? identifier(of: concept.role, in: model)
    }

    private static func seeds(_ seed: UInt64, _ count: Int) -> [UInt64] {
        Philox.seeds(seed, purpose: 0xDB, 0..<count)
    }

    /// - Parameter priorPictures: drawn from the class prompt, at the model's own distribution; 0 without prior
    ///   preservation.
    package static func infinity(
        _ model: InfinityModel, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let schedule = model.configuration.schedule
        let word = word(of: concept)
        let conceptText = model.encode([concept.photoPrompt(word)])
        let classText = model.encode([concept.classPhotoPrompt])
        let (acting, naming, tokenizer) = words(of: concept, in: model)
        let drawn = seeds(seed, priorPictures).map {
            model.transformer.generate(classText, sampling: .plain(scales: schedule.sides.count, seeds: [$0]))
        }
        return DreamBooth(
            name: model.configuration.name, word: word, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: model.attentionModules, textModules: model.textModules, acting: acting,
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

    /// - Parameter priorPictures: drawn from the class prompt, at the model's own distribution; 0 without prior
    ///   preservation.
    package static func chameleon(
        _ model: ChameleonModel, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let word = word(of: concept)
        let conceptPrompt = concept.photoPrompt(word)
        let classPrompt = concept.classPhotoPrompt
        let acting = TokenwiseAdapters(learning: [concept.name: concept.className])
        let naming = concept.photoPrompt(concept.placeholder)
        let tokenizer = model.textTokenizer.adding(placeholders: [concept.placeholder])
        func loss(_ batch: ChameleonBatch) -> Variable {
            batch.loss(model.transformer.logits(batch.ids, batch: batch.count))
        }
        let before = ChameleonPrompt(ids: model.ids(before: classPrompt))
        let drawn = codes(of: model.configuration.vocabulary.codes, seeds: seeds(seed, priorPictures)) { plain in
            model.generateCodes([before], at: plain.seeds.map { _ in 0 }, sampling: plain)
        }
        return DreamBooth(
            name: model.configuration.name, word: word, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: model.attentionModules, textModules: model.attentionModules, acting: acting,
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

    /// - Parameter priorPictures: drawn from the class prompt, at the model's own distribution; 0 without prior
    ///   preservation.
    package static func llamagen(
        _ model: LlamaGenModel, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let word = word(of: concept)
        let conceptText = model.encode([concept.photoPrompt(word)])
        let classText = model.encode([concept.classPhotoPrompt])
        let (acting, naming, tokenizer) = words(of: concept, in: model)
        let drawn = codes(of: model.configuration.transformer.codes, seeds: seeds(seed, priorPictures)) { plain in
            model.generateCodes(classText, at: plain.seeds.map { _ in 0 }, sampling: plain)
        }
        return DreamBooth(
            name: model.configuration.name, word: word, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: model.attentionModules,
            textModules: model.attentionModules, acting: acting,
            encode: { .codes(model.codes([$0])[0]) },
            conceptLoss: { pictures, _, _ in
                acting.begin(pictures.map { _ in naming }, on: model, tokenizer: tokenizer)
                return model.loss(conceptText.repeated(pictures.count), codes: pictures.codes)
            },
            priorLoss: { chosen, _ in
                model.loss(classText.repeated(chosen.count), codes: chosen.map { drawn[$0] })
            })
    }

    /// - Parameter priorPictures: drawn from the class prompt by the model's usual sampler and guidance; 0 without
    ///   prior preservation.
    package static func diffusion(
        _ model: any LatentDiffusion, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let words = DiffusionWords(rare: [], for: model, seed: seed)
        let word = word(of: concept, in: model)
        let conceptText = words.text([concept.photoPrompt(word)])
        let named = DiffusionWords(of: concept, for: model, seed: seed)
        let naming = concept.photoPrompt(concept.placeholder)
        let acting = TokenwiseAdapters(learning: [concept.name: concept.className])
        let classText = words.text([concept.classPhotoPrompt])
        let drawn = latents(of: classText, model, seeds: seeds(seed, priorPictures))
        return DreamBooth(
            name: model.settings.name, word: word, weights: model.transformerWeights,
            pictureSize: model.pictureSize, attentionModules: model.attentionModules, textModules: model.textModules,
            acting: acting,
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

    /// What is told of the concept's words, the prompt that names it where it is learnt by its own word, and what reads
    /// that name as one token.
    private static func words(
        of concept: Concept, in model: some ReadsPrompts
    ) -> (TokenwiseAdapters, prompt: String, UnigramTokenizer) {
        (
            TokenwiseAdapters(learning: [concept.name: concept.className]), concept.photoPrompt(concept.placeholder),
            model.textTokenizer.adding(placeholders: [concept.placeholder])
        )
    }

    /// Codes of a picture of each seed at the model's own distribution, a few at a time: memory does not grow with
    /// their number.
    /// - Parameter count: of the codes there are.
    static func codes(of count: Int, seeds: [UInt64], draw: (CodeSampling) -> [[Int32]]) -> [[Int32]] {
        PairLearner.batches(seeds).flatMap { some in
            draw(CodeSampling(guidance: 1, topK: count, temperature: 1, seeds: some))
        }
    }

    /// Latents of a picture of each seed under one text, [N, z, h, w], a few at a time: memory does not grow with their
    /// number. Nil of no seeds.
    private static func latents(of text: DiffusionText, _ model: any LatentDiffusion, seeds: [UInt64]) -> Tensor? {
        guard !seeds.isEmpty else { return nil }
        return Tensor.joined(
            PairLearner.batches(seeds).map { some in
                model.generateLatents(text.repeated(some.count), sampling: model.sampling(seeds: some))
            })
    }
}
