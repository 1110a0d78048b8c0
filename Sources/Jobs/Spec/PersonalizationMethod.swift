/// How a concept is learnt.
package enum PersonalizationMethod: String, Sendable, CaseIterable {
    /// Cross-attention and feed-forward weights of a next-scale model (arXiv 2504.02612).
    case arbooth
    /// Context tokens of a unified autoregressive transformer, everything else frozen (arXiv 2508.07341).
    case coar
    /// Low-rank changes of the attention (arXiv 2106.09685) in DreamBooth's manner (arXiv 2208.12242).
    case lora

    /// What a job may say about it.
    package func options(for role: ConceptRole) -> OptionTable {
        switch self {
        case .arbooth: .arbooth
        case .coar: .coar(role)
        case .lora: .lora
        }
    }

    /// The models it works on.
    package var models: [ModelName] {
        switch self {
        case .arbooth: [.pocketInfinity]
        case .coar: [.pocketChameleon]
        case .lora: [.pocketInfinity, .pocketChameleon]
        }
    }

    /// What it learns.
    package var roles: [ConceptRole] { self == .arbooth ? [.subject] : ConceptRole.allCases }

    /// The methods for a model and, where it is known, a role, in words.
    package static func fitting(_ model: ModelName?, _ role: ConceptRole? = nil) -> String {
        allCases.filter { method in
            (model.map(method.models.contains) ?? true) && (role.map(method.roles.contains) ?? true)
        }
        .map(\.rawValue).joined(separator: ", ")
    }
}

/// What a concept is.
package enum ConceptRole: String, Sendable, Codable, CaseIterable { case subject, style }

/// The backbones that jobs name.
package enum ModelName: String, Sendable, CaseIterable {
    /// Next-scale prediction, bitwise (Infinity).
    case pocketInfinity = "pocket-infinity"
    /// Text and picture tokens in one vocabulary, next-token prediction (Chameleon).
    case pocketChameleon = "pocket-chameleon"

    /// What a job that draws with it may say.
    package var drawing: OptionTable {
        switch self {
        case .pocketInfinity: .nextScaleDrawing
        case .pocketChameleon: .nextTokenDrawing
        }
    }

    /// Those whose concepts can be joined without training.
    package static let composing: [ModelName] = [.pocketChameleon]
}
