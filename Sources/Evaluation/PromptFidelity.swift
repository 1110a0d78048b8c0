/// Prompt fidelity: do the generated pictures show what was asked for? (DreamBooth, arXiv 2208.12242, section 4.1.)
extension Score {
    /// CLIP-T: the mean of cos(picture, text) over generated pictures, each with the prompt it was generated from, in
    /// CLIP's shared space (ViT-B/32 in the paper). Row i of `prompts` belongs to row i of `generated`; the placeholder
    /// is taken out before (`PromptText.withoutPlaceholders`), since CLIP does not know the word.
    package static func clipT(generated: Embeddings, prompts: Embeddings) -> Score {
        Score(
            .clipT, by: generated.encoder, value: generated.meanCosineRowByRow(with: prompts),
            comparisons: generated.count)
    }
}
