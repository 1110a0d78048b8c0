import Layers

/// What ARBooth leaves open, with the paper's values as defaults (arXiv 2504.02612, sections 4 and 5.1; what the paper
/// omits is taken from the public code, jiwoogit/ARBooth). Every part can be switched off for ablation.
package struct ARBoothOptions: Codable, Equatable, Sendable {
    /// Which of the transformer's weights learn.
    package enum Tuning: String, Codable, Sendable, CaseIterable {
        /// `ca.*`, `ca_norm.*` and `ffn.*` of every block (the paper's choice).
        case crossAttentionAndFeedForward = "cross-attention+feed-forward"
        /// All of the transformer's weights (the paper's ablation "full tuning").
        case full
    }

    /// Steps.
    package var iterations = 600
    /// References a step, and as many of the prior's maps.
    package var batch = 2
    /// AdamW's, the same at every step.
    package var learningRate: Float = 6e-3
    /// Of AdamW's first moment.
    package var beta1: Float = 0.9
    /// Of AdamW's second moment.
    package var beta2: Float = 0.97
    /// AdamW's, decoupled from the gradients.
    package var weightDecay: Float = 0
    /// How the optimizer keeps its moments; nil of an adapter older than the choice, which had floats.
    package var moments: AdamW.Precision? = .single
    /// Which weights learn.
    package var tuning = Tuning.crossAttentionAndFeedForward
    /// Whether later scales count less in the cross-entropy.
    package var scaleWeighting = true
    /// Scales that keep full weight; nil takes the paper's share, 8 of 13, rounded.
    package var earlyScales: Int?
    /// What the cross-entropy of later scales counts, beside 1.
    package var lateScaleWeight: Float = 0.5
    /// Whether the tuned model must keep the frozen model's distributions on the class prompt.
    package var distillation = true
    /// λ, the weight of the Kullback–Leibler term.
    package var distillationWeight: Float = 0.5
    /// Token maps the frozen model draws from the class prompt before training; each step takes `batch` of them. *Ours*
    /// are drawn once, at temperature 1, whose logits every step then reads; the public code draws two anew in every
    /// step, at temperature 0.5 from the likeliest.
    package var distillationMaps = 64
    /// Whether the placeholder `<name>` learns an embedding of its own for the frozen text encoder.
    package var learnsPlaceholder = true
    /// The largest random enlargement before the centre crop.
    package var largestZoom: Float = 1.15
    /// The largest share of bits flipped per scale in the subject's token maps (Infinity's bitwise self-correction).
    /// *Ours*: the public code flips up to 0.3, drops the prompt of one subject in ten and leaves out one block in ten
    /// at the model's end, none of which the paper names.
    package var largestFlipShare: Float = 0.2

    package init() {}

    /// How many of `count` scales keep full weight.
    package func earlyScaleCount(of count: Int) -> Int {
        min(earlyScales ?? Int((Float(count) * 8 / 13).rounded()), count)
    }

    /// Whether the transformer's weight `name` learns under this choice.
    func trains(_ name: String) -> Bool {
        switch tuning {
        case .full: true
        case .crossAttentionAndFeedForward:
            // The pooling that makes the condition of all blocks is cross-attention too, but in none of them.
            name.hasPrefix("block")
                && (name.contains(".ca.") || name.contains(".ca_norm.") || name.contains(".ffn."))
        }
    }
}
