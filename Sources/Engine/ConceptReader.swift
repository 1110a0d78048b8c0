import Jobs
import Personalization

/// Reads what a job wants learned from its order.
struct ConceptReader {
    let order: EngineOrder
    /// What is to learn it.
    let loaded: LoadedModel

    /// - Throws: `JobFailure` listing the references that cannot be used.
    func concept() throws -> Concept {
        let spec = order.spec["concept"]
        return Concept(
            name: spec?["name"]?.string ?? "concept",
            role: spec?["role"]?.string.flatMap(Concept.Role.init(rawValue:)) ?? .subject,
            className: spec?["class"]?.string ?? "",
            references: try ReferencePictures(order.images, size: loaded.pictureSize).pictures,
            wording: loaded.styleWording)
    }
}
