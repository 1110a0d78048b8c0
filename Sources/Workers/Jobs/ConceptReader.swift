import Jobs
import Personalization

/// Reads what a job wants learned from its order.
struct ConceptReader {
    let order: EngineOrder
    /// What is to learn it.
    let loaded: LoadedModel

    /// How many times the model's size references are kept at: as much as `largest_zoom` can ask for.
    private static let detail = 4

    /// - Throws: `JobFailure` listing the references that cannot be used.
    func concept() throws -> Concept {
        let spec = order.spec["concept"]
        return Concept(
            name: spec?["name"]?.string ?? "concept", role: spec?["role"]?.string.flatMap(Concept.Role.init(rawValue:)) ?? .subject,
            className: spec?["class"]?.string ?? "", references: try ReferencePictures(order.images, size: loaded.pictureSize, detail: ConceptReader.detail).pictures,
            wording: loaded.styleWording)
    }
}
