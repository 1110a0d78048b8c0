import Images
import Jobs

/// Looks into a reference picture.
struct PictureInspection {
    /// Of the model's pictures; nil where nobody knows.
    let size: ModelDescription.Size?
    /// The model's, of which the job's pictures keep to the nearest; none: they become squares.
    let shapes: [ModelDescription.Size]

    /// Decodes it; what it cannot be used for is a problem, what is lost of it a warning.
    func inspect(_ picture: InspectionOrder.Picture, crop: CropArea?, _ findings: inout Findings) {
        do throws(PictureError) {
            let outline = try DecodedPicture([UInt8](picture.data), limits: .reference).outline
            let place = "/" + picture.pointer.split(separator: "/").dropLast().joined(separator: "/")
            if let problem = ReferencePictures.problem(with: crop, of: outline, at: place) {
                findings.problems.append(problem)
                return
            }
            let area = crop?.pixels(width: outline.width, height: outline.height)
            let size = ModelDescription.Size(
                width: area?.width ?? outline.width, height: area?.height ?? outline.height)
            findings.sizes.append(size)
            let warnings = outline.warnings + enlargement(of: size)
            findings.warnings += warnings.map { "\(picture.pointer): \(outline.description): \($0)" }
        } catch {
            findings.problems.append(
                Problem(picture.pointer, found: found(error, picture), allowed: ReferencePictures.allowed(.reference)))
        }
    }

    private func found(_ error: PictureError, _ picture: InspectionOrder.Picture) -> String {
        let format = PictureFormat(picture.data).map { "a \($0.rawValue)" } ?? "a file"
        switch error {
        case .tooLarge(let width, let height, _), .tooSmall(let width, let height, _):
            return "\(format) of \(width)×\(height)"
        case .damaged(_, let reason): return "\(format) that is damaged: \(reason)"
        default: return error.description
        }
    }

    /// A picture that is smaller than the model's is enlarged, and shows no more for it.
    private func enlargement(of whole: ModelDescription.Size) -> [String] {
        let shape = whole.nearest(of: shapes)
        let part = whole.middle(like: shape ?? .init(width: 1, height: 1))
        guard let kept = shape ?? size, min(part.width, part.height) < min(kept.width, kept.height) else { return [] }
        return ["its \(part.width == part.height ? "square" : "middle") of \(part) is enlarged to the model's \(kept)"]
    }
}
