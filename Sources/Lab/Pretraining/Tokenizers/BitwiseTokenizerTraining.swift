import Autograd
import Backbones
import Images
import Layers
import Tensors

/// Infinity's picture tokenizer learns bits: its own loss is commitment to them (arXiv 2412.04431, section 3.2).
///
/// Where the bits are learnt, its decoder learns what the transformer makes of them (*ours*): bits of a token are drawn
/// independently of each other, so that those that are drawn never fit together as those of a picture do, and a decoder
/// that has only seen these makes patches of that. It sees pictures by their own bits, by their own but for the last
/// scale's, and but for the last two's, in turn; by their own alone where there is no transformer yet.
struct BitwiseTokenizerTraining: TrainableTokenizer {
    private static let commitment: Float = 1
    /// How many of the last scales are drawn, of one step after the other.
    private static let drawnScales = [0, 1, 2]

    let model: InfinityModel
    let seed: UInt64
    /// Whether the model's transformer has learnt to draw.
    let draws: Bool
    let decoderNames = ["decoder."]

    var weights: Weights { model.tokenizerWeights }

    func pass(_ pictures: Variable, of captions: [String], step: Int, learnsTokens: Bool) -> TokenizerPass {
        guard learnsTokens else {
            return TokenizerPass(
                decoded: model.tokenizer.decode(Variable(shown(pictures, of: captions, step: step))),
                loss: Variable(Tensor(zeros: [1])), named: [])
        }
        let features = model.tokenizer.features(pictures)
        let sum = model.tokenizer.straightThrough(features, schedule: model.configuration.schedule)
        let committed = SquaredError().apply([features, sum.detached])
        return TokenizerPass(
            decoded: model.tokenizer.decode(sum), loss: BitwiseTokenizerTraining.commitment * committed,
            named: [("commitment", committed.scalar)])
    }

    /// What the decoder is shown of pictures: their codes, of which a step's last scales are drawn by the transformer
    /// after the others.
    private func shown(_ pictures: Variable, of captions: [String], step: Int) -> Tensor {
        Recording.withoutGradients {
            let maps = model.maps(of: model.tokenizer.features(pictures).value)
            let drawn = BitwiseTokenizerTraining.drawnScales[step % BitwiseTokenizerTraining.drawnScales.count]
            guard draws, drawn > 0 else { return maps.sum }
            let seeds = captions.indices.map { seed &+ UInt64(step * captions.count + $0) }
            return model.transformer.generate(
                model.encode(captions),
                after: (scales: model.configuration.schedule.sides.count - drawn, maps: maps),
                sampling: model.sampling(seeds: seeds)
            ).sum
        }
    }

    func reconstruct(_ pictures: [Picture]) -> [Picture] { model.reconstruct(pictures) }
}
