import Images
import Jobs

/// A job's reference pictures, decoded, squared and kept at the model's size or up to `detail` times that, where the
/// files have the pixels.
struct ReferencePictures {
    let pictures: [Picture]

    /// How many times the model's size they are kept at: as much as `largest_zoom` can ask for, and encoders see of
    /// them.
    static let detail = 4

    /// - Parameters:
    ///   - size: of the model's pictures; none is smaller.
    /// - Throws: `JobFailure` listing those that cannot be used.
    init(_ paths: [String], size: Int) throws {
        var problems: [Problem] = []
        var pictures: [Picture] = []
        for (index, path) in paths.enumerated() {
            do {
                let picture = try Picture(pngFile: path)
                let side = min(picture.width, picture.height)
                // Cropped before it is resized: a picture 8192 pixels wide and one high would first become enormous.
                let kept = min(max(side, size), ReferencePictures.detail * size)
                pictures.append(picture.centreCropped(width: side, height: side).resized(width: kept, height: kept))
            } catch {
                problems.append(
                    Problem(
                        "/images/\(index)", found: "\(error)", allowed: "a PNG picture of at most 8192 pixels a side"))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(
                code: "input.image", consequence: .rejected,
                message: "\(problems.count) of \(paths.count) pictures cannot be used", problems: problems)
        }
        self.pictures = pictures
    }
}
