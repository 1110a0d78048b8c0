/// Subject fidelity: do the generated pictures show the subject of the references? (Ruiz et al., DreamBooth, arXiv
/// 2208.12242, section 4.1.)
extension Score {
    /// DINO: the mean of cos(f(g), f(r)) over all pairs of a generated picture g and a reference r, f DINO's ViT-S/16
    /// in the paper. DINO is trained to tell pictures of one class apart, so it prefers this very dog to any dog.
    package static func dino(generated: Embeddings, references: Embeddings) -> Score {
        allPairs(.dino, generated, references)
    }

    /// DINO to others: the same mean with the references of other subjects (Proxy-Tuning, arXiv 2503.10125, looks at
    /// whether subjects that one model knows are mixed). Less is better.
    package static func otherDINO(generated: Embeddings, references: Embeddings) -> Score {
        allPairs(.otherDINO, generated, references)
    }

    /// CLIP-I: the same mean with CLIP's picture embeddings, ViT-B/32 in the paper.
    package static func clipI(generated: Embeddings, references: Embeddings) -> Score {
        allPairs(.clipI, generated, references)
    }

    /// DINO among the references themselves, over pairs of different pictures: the paper's row "Real Images", the
    /// ceiling.
    package static func dino(among references: Embeddings) -> Score { ownPairs(.dino, references) }

    /// CLIP-I among the references themselves.
    package static func clipI(among references: Embeddings) -> Score { ownPairs(.clipI, references) }

    static func allPairs(_ metric: Metric, _ a: Embeddings, _ b: Embeddings) -> Score {
        Score(metric, by: a.encoder, value: a.meanCosine(with: b), comparisons: a.count * b.count)
    }

    private static func ownPairs(_ metric: Metric, _ references: Embeddings) -> Score {
        let pairs = references.count * (references.count - 1) / 2
        return Score(metric, by: references.encoder, value: references.meanCosineAmong(), comparisons: pairs)
    }
}
