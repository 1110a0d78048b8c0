import Autograd
import Backbones
import Images
import Layers
import Randomness
import Tensors

/// A backbone as DreamBooth sees it (Ruiz et al., arXiv 2208.12242): the loss of the references after a prompt with a
/// rare identifier, and that of pictures of the class which the model itself drew before anything was tuned.
///
/// The identifier is the tokenizer's unknown word: a token that pretraining never saw.
package struct DreamBooth {
    package let name: String
    let weights: Weights
    let pictureSize: Int
    /// Ends of the names of the modules a LoRA adapter changes by default.
    let attentionModules: [String]
    /// Mean loss per token of pictures of the concept. What is random about it, as a diffusion model's noise is, comes
    /// from the generator.
    let conceptLoss: (_ pictures: [Picture], _ generator: inout Philox) -> Variable
    /// Mean loss per token of chosen pictures of the class.
    let priorLoss: (_ chosen: [Int], _ generator: inout Philox) -> Variable

    package static let identifier = "<unk>"

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
        let conceptText = model.encode([concept.photoPrompt(identifier)])
        let classText = model.encode([concept.classPhotoPrompt])
        func loss(_ text: TextFeatures, _ maps: TokenMaps) -> Variable {
            let logits = model.transformer.logits(text.repeated(maps.batch), inputs: maps.inputs)
            let mean = [Float](repeating: 1 / Float(maps.bits.count), count: maps.bits.count / maps.depth)
            return BitCrossEntropy(bits: maps.bits, weights: mean).apply([logits])
        }
        let drawn = seeds(seed, priorPictures).map {
            model.transformer.generate(classText, sampling: .plain(scales: schedule.sides.count, seeds: [$0]))
        }
        return DreamBooth(
            name: model.configuration.name, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: ["sa.mat_qkv", "sa.proj", "ca.mat_q", "ca.mat_kv", "ca.proj"],
            conceptLoss: { pictures, _ in
                let features = Recording.withoutGradients {
                    model.tokenizer.features(Variable(.pictures(pictures))).value
                }
                return loss(conceptText, model.tokenizer.quantize(features, schedule: schedule))
            },
            priorLoss: { chosen, _ in
                let maps = model.tokenizer.maps(
                    bits: chosen.flatMap { drawn[$0].bits }, batch: chosen.count, schedule: schedule)
                return loss(classText, maps)
            })
    }

    package static func chameleon(
        _ model: ChameleonModel, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let conceptPrompt = concept.photoPrompt(identifier)
        let classPrompt = concept.classPhotoPrompt
        func loss(_ prompt: String, _ codes: [[Int32]]) -> Variable {
            let batch = ChameleonBatch(codes.map { model.sequence(prompt, codes: $0) })
            return batch.loss(model.transformer.logits(batch.ids, batch: batch.count))
        }
        let plain = CodeSampling(
            guidance: 1, topK: model.configuration.vocabulary.codes, temperature: 1, seeds: seeds(seed, priorPictures))
        let before = ChameleonPrompt(ids: model.ids(before: classPrompt))
        let drawn =
            priorPictures > 0 ? model.generateCodes((0..<priorPictures).map { _ in before }, sampling: plain) : []
        return DreamBooth(
            name: model.configuration.name, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize,
            attentionModules: ["q_proj", "k_proj", "v_proj", "o_proj"],
            conceptLoss: { pictures, _ in loss(conceptPrompt, model.codes(pictures)) },
            priorLoss: { chosen, _ in loss(classPrompt, chosen.map { drawn[$0] }) })
    }

    package static func llamagen(
        _ model: LlamaGenModel, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let conceptText = model.encode([concept.photoPrompt(identifier)])
        let classText = model.encode([concept.classPhotoPrompt])
        let plain = CodeSampling(
            guidance: 1, topK: model.configuration.transformer.codes, temperature: 1,
            seeds: seeds(seed, priorPictures))
        let drawn =
            priorPictures > 0 ? model.generateCodes(classText.repeated(priorPictures), sampling: plain) : []
        return DreamBooth(
            name: model.configuration.name, weights: model.transformerWeights,
            pictureSize: model.configuration.pictureSize, attentionModules: ["attention.wqkv", "attention.wo"],
            conceptLoss: { pictures, _ in
                model.loss(conceptText.repeated(pictures.count), codes: model.codes(pictures))
            },
            priorLoss: { chosen, _ in
                model.loss(classText.repeated(chosen.count), codes: chosen.map { drawn[$0] })
            })
    }

    package static func diffusion(
        _ model: any LatentDiffusion, concept: Concept, priorPictures: Int, seed: UInt64
    ) -> DreamBooth {
        model.freeze()
        let words = DiffusionWords(rare: [], for: model, seed: seed)
        let conceptText = words.text([concept.photoPrompt(DiffusionWords.identifier(of: model))])
        let classText = words.text([concept.classPhotoPrompt])
        let drawn: Tensor? =
            priorPictures > 0
            ? model.generateLatents(
                classText.repeated(priorPictures), sampling: model.sampling(seeds: seeds(seed, priorPictures))) : nil
        func loss(_ text: DiffusionText, _ latents: Tensor, _ generator: inout Philox) -> Variable {
            model.loss(latents, text: text.repeated(latents.shape[0]), &generator)
        }
        return DreamBooth(
            name: model.settings.name, weights: model.transformerWeights, pictureSize: model.pictureSize,
            attentionModules: model.attentionModules,
            conceptLoss: { loss(conceptText, model.latents($0), &$1) },
            priorLoss: { chosen, generator in
                loss(classText, .joined(chosen.map { drawn!.slice($0..<$0 + 1) }), &generator)
            })
    }
}
