import Layers

/// LoRA DreamBooth (Hu et al., arXiv 2106.09685; Ruiz et al., arXiv 2208.12242): the baseline that every user knows.
package struct LoRAOptions: Codable, Equatable, Sendable {
    /// Steps.
    package var iterations = 400
    /// References a step, and as many pictures of the class.
    package var batch = 2
    /// AdamW's, the same at every step.
    package var learningRate: Float = 1e-3
    /// Of AdamW's first moment.
    package var beta1: Float = 0.9
    /// Of AdamW's second moment.
    package var beta2: Float = 0.999
    /// AdamW's, decoupled from the gradients.
    package var weightDecay: Float = 0.01
    /// How AdamW keeps its moments.
    package var moments = AdamW.Precision.single
    /// r of every change.
    package var rank = 8
    /// α, divided by r.
    package var alpha: Float = 16
    /// The modules that are changed, by the end of their names; nil takes the attention's of the backbone.
    package var targets: [String]?
    /// The tokens that changes act on.
    package var actsOn = ActingTokens.all
    /// Whether the adapted model must still say the pictures the model drew of the class before.
    package var priorPreservation = true
    /// Drawn once, before the first step.
    package var priorPictures = 32
    /// Of the loss on pictures of the class.
    package var priorWeight: Float = 1
    /// The largest random enlargement of a reference before the centre crop.
    package var largestZoom: Float = 1.15

    package init() {}

    /// Whether it is kept by pictures: what acts on the concept's words alone changes nothing of its class.
    package var drawsPrior: Bool { priorPreservation && actsOn == .all }
}
