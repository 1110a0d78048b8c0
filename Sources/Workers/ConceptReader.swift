import Images
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
            className: spec?["class"]?.string ?? "", references: try references())
    }

    /// Decoded, squared and brought to the model's size.
    private func references() throws -> [Picture] {
        var problems: [Problem] = [], pictures: [Picture] = []
        for (index, path) in order.images.enumerated() {
            do {
                let picture = try Picture(pngFile: path), side = min(picture.width, picture.height)
                // Cropped before it is resized: a picture 8192 pixels wide and one high would first become enormous.
                pictures.append(picture.centreCropped(width: side, height: side).resized(width: size, height: size))
            } catch {
                problems.append(Problem("/images/\(index)", found: "\(error)", allowed: "a PNG picture of at most 8192 pixels a side"))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(code: "input.image", consequence: .rejected, message: "\(problems.count) of \(order.images.count) pictures cannot be used", problems: problems)
        }
        return pictures
    }
}
