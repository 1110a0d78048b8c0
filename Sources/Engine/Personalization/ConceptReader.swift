import Jobs
import Personalization

/// Reads what a job wants learned from its order.
struct ConceptReader {
    let spec: ConceptSpec
    /// The reference pictures.
    let images: [ReferenceFile]
    /// What is to learn it.
    let loaded: LoadedModel
    /// The model's, of which each reference keeps to the nearest; none: all become squares.
    var shapes: [ModelDescription.Size] = []

    /// The concept, and what is to be said of its pictures.
    /// - Throws: `JobFailure` listing the references that cannot be used.
    func concept() throws -> (concept: Concept, warnings: [String]) {
        let own = spec.images.map { $0.map { images[$0] } } ?? images
        let references = try ReferencePictures(own, size: loaded.pictureSize, shapes: shapes, places: spec.images)
        let concept = Concept(
            name: spec.name, role: spec.role, className: spec.className ?? "",
            references: references.pictures, origins: references.origins, shapes: references.shapes,
            wording: loaded.styleWording)
        return (concept, references.warnings)
    }
}
