/// LoRA DreamBooth (Hu et al., arXiv 2106.09685; Ruiz et al., arXiv 2208.12242): the baseline that every user knows.
package struct LoRAOptions: Codable, Equatable, Sendable {
    package var iterations = 400
    package var batch = 2
    package var learningRate: Float = 1e-3
    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var weightDecay: Float = 0.01
    package var rank = 8
    package var alpha: Float = 16
    /// The modules that are changed, by the end of their names; nil takes the attention's of the backbone.
    package var targets: [String]?
    /// Whether the adapted model must still say the pictures the model drew of the class before.
    package var priorPreservation = true
    package var priorPictures = 32
    package var priorWeight: Float = 1
    /// The largest random enlargement of a reference before the centre crop.
    package var largestZoom: Float = 1.15

    package init() {}
}
