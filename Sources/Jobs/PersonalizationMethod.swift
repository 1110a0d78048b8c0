/// How a concept is learnt.
package enum PersonalizationMethod: String, Sendable, CaseIterable {
    /// Cross-attention and feed-forward weights of a next-scale model (arXiv 2504.02612).
    case arbooth

    /// What a job may say about it.
    package var options: OptionTable {
        switch self {
        case .arbooth: .arbooth
        }
    }
}
