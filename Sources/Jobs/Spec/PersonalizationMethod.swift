/// How a concept is learnt.
package enum PersonalizationMethod: String, Codable, Sendable, CaseIterable {
    /// Cross-attention and feed-forward weights of a next-scale model (arXiv 2504.02612).
    case arbooth
    /// Context tokens of a unified autoregressive transformer, everything else frozen (arXiv 2508.07341).
    case coar
    /// Low-rank changes of the attention (arXiv 2106.09685) in DreamBooth's manner (arXiv 2208.12242).
    case lora
    /// Low-rank changes, learnt from pictures that a diffusion model draws once it has learnt the subject itself (arXiv
    /// 2503.10125).
    case proxyTuning = "proxy-tuning"

    /// What a job may say about it.
    package func options(for role: ConceptRole) -> OptionTable {
        switch self {
        case .arbooth: .arbooth
        case .coar: .coar(role)
        case .lora: .lora
        case .proxyTuning: .proxyTuning
        }
    }

    /// The families of models it works on.
    package var families: [ModelFamily] {
        switch self {
        case .arbooth: [.infinity]
        case .coar: [.chameleon]
        case .lora, .proxyTuning: [.infinity, .chameleon, .llamagen, .diffusion]
        }
    }

    /// What it learns.
    package var roles: [ConceptRole] {
        switch self {
        case .arbooth, .proxyTuning: [.subject]
        case .coar, .lora: ConceptRole.allCases
        }
    }

    /// Whether one job can learn several concepts, which one adapter then knows.
    var learnsSeveral: Bool { self == .proxyTuning }

    /// The methods for a family of models and a role, where they are known, in words.
    package static func fitting(_ family: ModelFamily?, _ role: ConceptRole? = nil) -> String {
        allCases.filter { method in
            (family.map(method.families.contains) ?? true) && (role.map(method.roles.contains) ?? true)
        }
        .map(\.rawValue).joined(separator: ", ")
    }
}

/// What a concept is.
package enum ConceptRole: String, Sendable, Codable, CaseIterable { case subject, style }
