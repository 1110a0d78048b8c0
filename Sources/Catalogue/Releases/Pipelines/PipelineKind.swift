import Checkpoints

/// The pipelines that there are jobs for, by the class of the network.
enum PipelineKind: String, CaseIterable, Sendable {
    case sdxl = "UNet2DConditionModel"
    case sd3 = "SD3Transformer2DModel"
    case flux = "FluxTransformer2DModel"

    init?(_ network: AuthorComponent) {
        switch network.kind {
        case .unet: self = .sdxl
        case .mmdit: self = .sd3
        case .flux: self = .flux
        case .autoencoder, .textTower, .openTextTower, .t5: return nil
        }
    }

    var network: String { self == .sdxl ? "unet" : "transformer" }

    /// Suffixes of the folders of its text encoders and tokenizers.
    private var towers: [String] { self == .sd3 ? ["", "_2", "_3"] : ["", "_2"] }

    /// Components that have weights.
    var weighted: [String] { [network, "vae"] + towers.map { "text_encoder\($0)" } }
    var tokenizers: [String] { towers.map { "tokenizer\($0)" } }

    /// Whether a tokenizer is T5's, not CLIP's.
    func isUnigram(_ tokenizer: String) -> Bool { self != .sdxl && tokenizer == tokenizers.last }

    /// How the released models' autoencoders scale latents, and what is taken off them first.
    var latents: (scale: Double, shift: Double) {
        switch self {
        case .sdxl: (0.13025, 0)
        case .sd3: (1.5305, 0.0609)
        case .flux: (0.3611, 0.1159)
        }
    }

    /// Tokens of a prompt, marks among them; of FLUX.1 the most that any reads.
    var longestPrompt: Int {
        switch self {
        case .sdxl: 77
        case .sd3: PromptLength.sd3
        case .flux: PromptLength.flux(isGuided: true)
        }
    }
}
