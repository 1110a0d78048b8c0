import Jobs
import Layers

/// What CoAR leaves open, with the paper's values as defaults (arXiv 2508.07341, sections 3 and 4.1). Each part can be
/// switched off, so that layer-wise context alone, with prior preservation, and with self-regularization can be
/// compared.
package struct CoAROptions: Codable, Equatable, Sendable {
    /// Steps.
    package var iterations = 1000
    /// References a step; of pictures of the class it is always one.
    package var batch = 1
    /// AdamW's, the same at every step.
    package var learningRate: Float = 1e-2
    /// Of AdamW's first moment.
    package var beta1: Float = 0.9
    /// Of AdamW's second moment.
    package var beta2: Float = 0.999
    /// AdamW's, decoupled from the gradients.
    package var weightDecay: Float = 0
    /// How AdamW keeps its moments; nil of an adapter older than the choice, which had floats.
    package var moments: AdamW.Precision? = .single
    /// Layers with context vectors; nil takes the paper's share of the depth, 9 of 32 for subjects and 3 of 32 for
    /// styles.
    package var layers: Int?
    /// Dual prior preservation: on pictures the frozen model draws of the class, with the image context alone in place,
    /// the tokens must stay likely and their distributions the frozen model's.
    package var priorPreservation = true
    /// Drawn once, before the first step.
    package var priorPictures = 8
    /// Weight of the cross-entropy on the prior pictures (*ours*: the paper's table lists two weights of 0.5 without
    /// saying whose).
    package var priorWeight: Float = 0.5
    /// Weight of KL(frozen ‖ current) on the prior pictures.
    package var divergenceWeight: Float = 0.5
    /// Context-aware self-regularization: the image context starts at, and is pulled back to, each layer's mean state
    /// of the references' picture tokens.
    package var selfRegularization = true
    /// λ, the weight of (1/N) Σ ‖P − mean‖².
    package var regularizationWeight: Float = 5e-4
    /// The training prompt: `{concept}` is the placeholder, `{class}` the class noun. Nil takes the
    /// role's own.
    package var prompt: String?
    /// The largest random enlargement of a reference before the centre crop (*ours*).
    package var largestZoom: Float = 1.15

    package init() {}

    /// How many of `depth` layers have context vectors.
    package func layerCount(of depth: Int, role: ConceptRole) -> Int {
        let share = Float(role == .subject ? 9 : 3) / 32
        return min(layers ?? max(1, Int((Float(depth) * share).rounded())), depth)
    }

    /// The prompt a concept is learned with.
    package func prompt(of concept: Concept) -> String {
        guard let prompt else { return concept.photoPrompt(concept.placeholder) }
        return prompt.replacing("{concept}", with: concept.placeholder).replacing("{class}", with: concept.className)
    }
}
