import Images
import Jobs

/// A job's reference pictures, decoded, squared and kept at the model's size or up to `detail` times that, where the
/// files have the pixels.
struct ReferencePictures {
    let pictures: [Picture]
    /// What each was cut from; a part that the job names counts as the whole picture.
    let origins: [PictureOrigin]
    /// What was lost on the way, each with its place.
    let warnings: [String]

    /// How many times the model's size they are kept at: as much as `largest_zoom` can ask for, and encoders see of
    /// them.
    static let detail = 4

    /// - Parameters:
    ///   - size: of the model's pictures; none is smaller.
    ///   - places: where they stand in the job's list; all of it unless given.
    ///   - holdsParts: whether the parts that count must show as much as a picture must.
    /// - Throws: `JobFailure` listing those that cannot be used.
    init(_ files: [ReferenceFile], size: Int, places: [Int]? = nil, holdsParts: Bool = true) throws {
        var problems: [Problem] = []
        var squares: [(picture: Picture, origin: PictureOrigin)] = []
        var warnings: [String] = []
        for (index, file) in zip(places ?? Array(files.indices), files) {
            do {
                let decoded = try DecodedPicture(file: file.path, limits: .reference)
                if holdsParts,
                    let problem = Self.problem(with: file.crop, of: decoded.outline, at: "/images/\(index)")
                {
                    problems.append(problem)
                    continue
                }
                squares.append(ReferencePictures.squared(decoded.picture, file.crop, size: size))
                warnings += decoded.outline.warnings.map { "/images/\(index): \(decoded.outline.description): \($0)" }
            } catch {
                problems.append(
                    Problem("/images/\(index)", found: "\(error)", allowed: ReferencePictures.allowed(.reference)))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(
                code: "input.image", consequence: .rejected,
                message: "\(problems.count) of \(files.count) pictures cannot be used", problems: problems)
        }
        (pictures, origins, self.warnings) = (squares.map(\.picture), squares.map(\.origin), warnings)
    }

    /// What a reference picture may be.
    static func allowed(_ limits: PictureLimits) -> String {
        """
        \(PictureFormat.words) of \(limits.smallestSide) to \(limits.side) pixels a side and at most \
        \(limits.pixels >> 20) Mi pixels
        """
    }

    /// What is wrong with the part of a picture that counts; nil where it shows as much as a picture must.
    static func problem(with crop: CropArea?, of outline: PictureOutline, at pointer: String) -> Problem? {
        let least = PictureLimits.reference.smallestSide
        guard let part = crop?.pixels(width: outline.width, height: outline.height),
            min(part.width, part.height) < least
        else { return nil }
        return Problem(
            pointer + "/crop", found: "\(part.width)×\(part.height) pixels of \(outline.description)",
            allowed: "a part of at least \(least) pixels a side")
    }

    /// The middle of the part that counts, as the reference codes crop (ARBooth's `CenterCrop`). Cropped before it is
    /// resized: a picture 8192 pixels wide and sixteen high would first become enormous.
    private static func squared(
        _ picture: Picture, _ crop: CropArea?, size: Int
    ) -> (picture: Picture, origin: PictureOrigin) {
        var picture = picture
        if let area = crop?.pixels(width: picture.width, height: picture.height) {
            picture = picture.cropped(left: area.left, top: area.top, width: area.width, height: area.height)
        }
        let side = min(picture.width, picture.height)
        let kept = min(max(side, size), detail * size)
        return (
            picture.centreCropped(width: side, height: side).resized(width: kept, height: kept),
            PictureOrigin(middleOf: picture)
        )
    }
}
