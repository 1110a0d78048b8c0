import Autograd
import Backbones
import Tensors

/// ARBooth's objective (arXiv 2504.02612, equations 4 to 6) over bits: mean over pictures and tokens of w(scale) ·
/// cross-entropy (mean over bits), plus λ · KL(frozen ‖ tuned) on maps of the class prompt.
package enum ARBoothLoss {
    /// Weights per token [B, L] that make a sum over tokens and bits the weighted mean.
    package static func subjectWeights(
        _ options: ARBoothOptions, schedule: ScaleSchedule, batch: Int, bits: Int
    ) -> [Float] {
        let early = options.scaleWeighting ? options.earlyScaleCount(of: schedule.sides.count) : schedule.sides.count
        let mean = 1 / Float(batch * schedule.tokens * bits)
        let picture = schedule.sides.enumerated().flatMap { scale, side in
            [Float](repeating: scale < early ? mean : mean * options.lateScaleWeight, count: side.height * side.width)
        }
        return Array(repeating: picture, count: batch).flatMap { $0 }
    }

    /// The scale-weighted cross-entropy of `logits` [B, L, 2·d] against the subject's bits.
    package static func subject(_ logits: Variable, maps: TokenMaps, options: ARBoothOptions) -> Variable {
        let weights = subjectWeights(options, schedule: maps.schedule, batch: maps.batch, bits: maps.depth)
        return BitCrossEntropy(bits: maps.bits, weights: weights).apply([logits])
    }

    /// KL(frozen ‖ tuned) per bit, mean over pictures, tokens and bits, at temperature 1.
    package static func distillation(_ logits: Variable, teacher: Tensor) -> Variable {
        let tokens = logits.shape[0] * logits.shape[1]
        let bits = logits.shape[2] / 2
        let weights = [Float](repeating: 1 / Float(tokens * bits), count: tokens)
        return BitDivergence(weights: weights).apply([logits, Variable(teacher)])
    }
}
