import Images
import Jobs

/// A job's reference pictures, decoded, squared and brought to the model's size, or near it.
struct ReferencePictures {
    let pictures: [Picture]

    /// - Parameters:
    ///   - size: of the model's pictures; none is smaller.
    ///   - detail: how many times as large they may be, where the files have the pixels.
    /// - Throws: `JobFailure` listing those that cannot be used.
    init(_ paths: [String], size: Int, detail: Int = 1) throws {
        var problems: [Problem] = [], pictures: [Picture] = []
        for (index, path) in paths.enumerated() {
            do {
                let picture = try Picture(pngFile: path), side = min(picture.width, picture.height)
                // Cropped before it is resized: a picture 8192 pixels wide and one high would first become enormous.
                let kept = min(max(side, size), detail * size)
                pictures.append(picture.centreCropped(width: side, height: side).resized(width: kept, height: kept))
            } catch {
                problems.append(Problem("/images/\(index)", found: "\(error)", allowed: "a PNG picture of at most 8192 pixels a side"))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(code: "input.image", consequence: .rejected, message: "\(problems.count) of \(paths.count) pictures cannot be used", problems: problems)
        }
        self.pictures = pictures
    }
}
