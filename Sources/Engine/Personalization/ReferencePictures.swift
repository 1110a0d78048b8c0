import Images
import Jobs

/// A job's reference pictures, decoded, cut around their middle and kept at the model's size or up to `detail` times
/// that, where the files have the pixels; for a model of several shapes at less than twice as much.
struct ReferencePictures {
    let pictures: [Picture]
    /// What each square was cut from; a part that the job names counts as the whole picture.
    let origins: [PictureOrigin]
    /// What each is to be learnt in; nil: squares.
    let shapes: [ModelDescription.Size]?
    /// What was lost on the way, each with its place.
    let warnings: [String]

    /// How many times the model's size they are kept at: as much as `largest_zoom` can ask for, and encoders see of
    /// them.
    static let detail = 4

    /// - Parameters:
    ///   - size: of the model's squares; none is smaller.
    ///   - shapes: the model's, of which each picture keeps to the nearest; none: all become squares.
    ///   - places: where they stand in the job's list; all of it unless given.
    ///   - holdsParts: whether the parts that count must show as much as a picture must.
    /// - Throws: `JobFailure` listing those that cannot be used.
    init(
        _ files: [ReferenceFile], size: Int, shapes: [ModelDescription.Size] = [], places: [Int]? = nil,
        holdsParts: Bool = true
    ) throws {
        var problems: [Problem] = []
        var cuts: [Cut] = []
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
                cuts.append(Cut(decoded.picture, file.crop, size: size, shapes: shapes))
                warnings += decoded.outline.warnings.map { "/images/\(index): \(decoded.outline.description): \($0)" }
            } catch {
                problems.append(
                    Problem("/images/\(index)", found: "\(error)", allowed: ReferencePictures.allowed(.reference)))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(
                code: "input.image", consequence: .rejected,
                message: "\(counted(problems.count, "picture")) cannot be used", problems: problems)
        }
        (pictures, origins, self.warnings) = (cuts.map(\.picture), cuts.map(\.origin), warnings)
        self.shapes = shapes.isEmpty ? nil : cuts.map(\.shape)
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
    private struct Cut {
        let picture: Picture
        let origin: PictureOrigin
        let shape: ModelDescription.Size

        init(_ picture: Picture, _ crop: CropArea?, size: Int, shapes: [ModelDescription.Size]) {
            var picture = picture
            if let area = crop?.pixels(width: picture.width, height: picture.height) {
                picture = picture.cropped(left: area.left, top: area.top, width: area.width, height: area.height)
            }
            let whole = ModelDescription.Size(width: picture.width, height: picture.height)
            shape = whole.nearest(of: shapes) ?? .init(width: size, height: size)
            let part = whole.middle(like: shape)
            let (kept, middle) = (part.kept(for: shape), picture.centreCropped(width: part.width, height: part.height))
            self.picture =
                shapes.isEmpty ? middle.resized(width: kept.width, height: kept.height) : middle.kept(for: shape)
            origin = PictureOrigin(middleOf: picture)
        }
    }
}

extension ModelDescription {
    /// The shapes that references keep to; none where a method learns squares. Lumina-mGPT was trained on pictures in
    /// all its shapes, each in the nearest. ARBooth's code cuts squares, as LlamaGen's and DreamBooth's for diffusion
    /// models do, and proxies are squares.
    func referenceShapes(of method: PersonalizationMethod) -> [Size] {
        family == .chameleon && method != .proxyTuning && pictures.count > 1 ? pictures : []
    }
}

extension Picture {
    /// A part, which has a shape's proportions, as it is kept for a model of several shapes: enlarged to its shape or
    /// halved, so that what is made of it is what Lumina-mGPT's authors' code makes of the whole.
    fileprivate func kept(for shape: ModelDescription.Size) -> Picture {
        let detail = ReferencePictures.detail
        return min(width, height) < min(shape.width, shape.height)
            ? fillingBicubically(width: shape.width, height: shape.height)
            : halved(downTo: detail * shape.width, detail * shape.height)
    }
}

extension ModelDescription.Size {
    /// The largest middle of a picture of this size that has a shape's proportions.
    func middle(like shape: ModelDescription.Size) -> ModelDescription.Size {
        width * shape.height <= height * shape.width
            ? .init(width: width, height: (width * shape.height + shape.width / 2) / shape.width)
            : .init(width: (height * shape.width + shape.height / 2) / shape.height, height: height)
    }

    /// What a part of this size, which has a shape's proportions, is kept at: neither smaller than the shape nor larger
    /// than `detail` times it.
    fileprivate func kept(for shape: ModelDescription.Size) -> ModelDescription.Size {
        let (side, least) = (min(width, height), min(shape.width, shape.height))
        if side < least { return shape }
        guard side > ReferencePictures.detail * least else { return self }
        return .init(width: ReferencePictures.detail * shape.width, height: ReferencePictures.detail * shape.height)
    }
}
