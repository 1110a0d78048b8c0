/// The three alignments of subject-and-style composition (Shah et al., ZipLoRA, arXiv 2311.13600, table 1; CoAR, arXiv
/// 2508.07341, reports the same).
extension Score {
    /// The mean of cos(f(g), f(s)) over generated pictures g and the style's references s, f CLIP's picture embedding.
    package static func styleAlignment(generated: Embeddings, style: Embeddings) -> Score {
        allPairs(.styleAlignment, generated, style)
    }

    /// The mean of cos(f(g), f(r)) over generated pictures g and the subject's references r, f DINO: DINO's metric
    /// under the table's name.
    package static func subjectAlignment(generated: Embeddings, references: Embeddings) -> Score {
        allPairs(.subjectAlignment, generated, references)
    }

    /// The mean of cos(picture, text) over generated pictures and their own prompts, in CLIP's space: CLIP-T under the
    /// table's name.
    package static func textAlignment(generated: Embeddings, prompts: Embeddings) -> Score {
        Score(
            .textAlignment, by: generated.encoder, value: generated.meanCosineRowByRow(with: prompts),
            comparisons: generated.count)
    }
}
