/// Is the class still the class, or has the model forgotten every dog but this one? (DreamBooth, arXiv 2208.12242,
/// section 4.3.)
extension Score {
    /// PRES: the mean of cos(f(p), f(r)) over all pairs of a picture p that the tuned model generated from the class
    /// prompt without the concept ("a photo of a dog") and a reference r of the subject, f DINO. High means that random
    /// members of the class have turned into the subject; lower is better.
    package static func pres(classPictures: Embeddings, references: Embeddings) -> Score {
        allPairs(.pres, classPictures, references)
    }
}
