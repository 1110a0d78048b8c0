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
    /// Mean loss per token of pictures of the concept.
    let conceptLoss: (_ pictures: [Picture]) -> Variable
    /// Mean loss per token of chosen pictures of the class.
    let priorLoss: (_ chosen: [Int]) -> Variable

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
            conceptLoss: { pictures in
                let features = Recording.withoutGradients {
                    model.tokenizer.features(Variable(.pictures(pictures))).value
                }
                return loss(conceptText, model.tokenizer.quantize(features, schedule: schedule))
            },
            priorLoss: { chosen in
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
            conceptLoss: { loss(conceptPrompt, model.codes($0)) },
            priorLoss: { chosen in loss(classPrompt, chosen.map { drawn[$0] }) })
    }
}
