import Autograd
import Images
import Tensors

/// How Infinity learns, whatever of it does (FoundationVision/Infinity, trainer.py and scripts/train.sh).
extension InfinityModel {
    /// The bits of pictures of the model's size.
    package func maps(_ pictures: [Picture], flips: BitFlips? = nil) -> TokenMaps {
        maps(of: features(pictures), flips: flips)
    }

    /// Pictures of the model's size before they are quantized, [B, d, h, w].
    package func features(_ pictures: [Picture]) -> Tensor {
        Recording.withoutGradients { tokenizer.features(Variable(.pictures(pictures))).value }
    }

    /// The bits of features [B, d, h, w].
    package func maps(of features: Tensor, flips: BitFlips? = nil) -> TokenMaps {
        tokenizer.quantize(features, schedule: configuration.schedule, flips: flips)
    }

    /// Cross-entropy of the bits after texts: the mean over bits and pictures, of tokens weighted by their scale.
    package func loss(
        _ text: TextFeatures, maps: TokenMaps, droppingTextOf dropped: Set<Int> = []
    ) -> Variable {
        let logits = transformer.logits(text, inputs: maps.inputs, droppingTextOf: dropped)
        let weights = maps.schedule.tokenWeights(batch: maps.batch, bits: maps.depth)
        return BitCrossEntropy(bits: maps.bits, weights: weights).apply([logits])
    }
}

extension ScaleSchedule {
    /// A weight for every token [B, L], by the side of its scale: proportional to 1/√(h·w), as the reference's
    /// `reweight_loss_by_scale`, so that the few tokens that decide what is in a picture count beside the many that
    /// finish it. Over all pictures they sum to 1, spread over a token's bits.
    package func tokenWeights(batch: Int, bits: Int) -> [Float] {
        let picture = sides.flatMap { [Float](repeating: 1 / Float($0.tokens).squareRoot(), count: $0.tokens) }
        let factor = 1 / (picture.reduce(0, +) * Float(bits * batch))
        return (0..<batch).flatMap { _ in picture.map { $0 * factor } }
    }
}
