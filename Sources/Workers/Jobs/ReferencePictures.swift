import Images
import Jobs

/// A job's reference pictures, decoded, squared and brought to the model's size.
struct ReferencePictures {
    let pictures: [Picture]

    /// - Throws: `JobFailure` listing those that cannot be used.
    init(_ paths: [String], size: Int) throws {
        var problems: [Problem] = [], pictures: [Picture] = []
        for (index, path) in paths.enumerated() {
            do {
                let picture = try Picture(pngFile: path), side = min(picture.width, picture.height)
                // Cropped before it is resized: a picture 8192 pixels wide and one high would first become enormous.
                pictures.append(picture.centreCropped(width: side, height: side).resized(width: size, height: size))
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
