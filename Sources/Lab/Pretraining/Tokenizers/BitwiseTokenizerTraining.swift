import Autograd
import Backbones
import Images
import Layers
import Tensors

/// Infinity's picture tokenizer learns bits: its own loss is commitment to them (arXiv 2412.04431, section 3.2).
struct BitwiseTokenizerTraining: TrainableTokenizer {
    private static let commitment: Float = 1

    let model: InfinityModel
    let decoderNames = ["decoder."]

    var weights: Weights { model.tokenizerWeights }

    func pass(_ pictures: Variable, step: Int, learnsTokens: Bool) -> TokenizerPass {
        let features = model.tokenizer.features(pictures)
        let sum = model.tokenizer.straightThrough(features, schedule: model.configuration.schedule)
        let committed = SquaredError().apply([features, sum.detached])
        return TokenizerPass(
            decoded: model.tokenizer.decode(sum), loss: BitwiseTokenizerTraining.commitment * committed,
            named: [("commitment", committed.scalar)])
    }

    func reconstruct(_ pictures: [Picture]) -> [Picture] { model.reconstruct(pictures) }
}
