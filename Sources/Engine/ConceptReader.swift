import Jobs
import Personalization

/// Reads what a job wants learned from its order.
struct ConceptReader {
    let spec: ConceptSpec
    /// Paths of the reference pictures.
    let images: [String]
    /// What is to learn it.
    let loaded: LoadedModel

    /// - Throws: `JobFailure` listing the references that cannot be used.
    func concept() throws -> Concept {
        Concept(
            name: spec.name, role: spec.role, className: spec.className ?? "",
            references: try ReferencePictures(images, size: loaded.pictureSize).pictures,
            wording: loaded.styleWording)
    }
}
