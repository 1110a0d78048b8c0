import Jobs
import Personalization

/// Reads what a job wants learned from its order.
struct ConceptReader {
    let order: EngineOrder
    /// Pixels on a side of the model's pictures.
    let size: Int

    /// - Throws: `JobFailure` listing the references that cannot be used.
    func concept() throws -> Concept {
        let spec = order.spec["concept"]
        return Concept(
            name: spec?["name"]?.string ?? "concept", role: spec?["role"]?.string.flatMap(Concept.Role.init(rawValue:)) ?? .subject,
            className: spec?["class"]?.string ?? "", references: try ReferencePictures(order.images, size: size).pictures)
    }
}
