/// The kinds of model there is code for. A method declares the families it works on, never single models.
package enum ModelFamily: String, Sendable, Codable, CaseIterable {
    /// Next-scale prediction, bitwise (arXiv 2412.04431).
    case infinity
    /// Text and picture tokens in one vocabulary, next-token prediction (arXiv 2405.09818).
    case chameleon
    /// Picture codes alone behind a prefix of caption features, next-token prediction (arXiv 2406.06525).
    case llamagen
    /// A flow from noise to an autoencoder's latents, by a transformer of two streams (arXiv 2403.03206).
    case diffusion
    /// An encoder of pictures and texts (arXiv 2103.00020).
    case clip
    /// An encoder of pictures (arXiv 2104.14294).
    case dino
    /// Names what the painted world shows: for experiments.
    case classifier
    /// Distances between pictures as people see them (arXiv 1801.03924).
    case lpips

    /// What a job that draws with such a model may say; nil where it draws nothing.
    package var drawing: OptionTable? {
        switch self {
        case .infinity: .nextScaleDrawing
        case .chameleon: .nextTokenDrawing
        case .llamagen: .codeDrawing
        case .diffusion: .diffusionDrawing
        case .clip, .dino, .classifier, .lpips: nil
        }
    }

    /// Whether jobs can name it as their model.
    package var draws: Bool { drawing != nil }

    /// Whether concepts learnt on it can be joined without training.
    var composes: Bool { self == .chameleon }

    /// Those that draw.
    package static var drawing: [ModelFamily] { allCases.filter(\.draws) }
}
