import Images
import Jobs

/// What the user wants a model to learn: a subject from a few pictures, or a style.
package struct Concept: Sendable {
    /// `rex`; prompts name it `<rex>`.
    package let name: String
    /// Whether it is a subject or a style.
    package let role: ConceptRole
    /// The noun of what the references show; empty where a style's is not said.
    package let className: String
    /// At least as large as the model's pictures; larger ones can be enlarged before they are cropped, and stay sharp.
    package let references: [Picture]
    /// What each of them was cut from.
    package let origins: [PictureOrigin]
    /// What each of them is learnt in; nil: squares of the model's size.
    package let shapes: [ModelDescription.Size]?
    /// Of the model that learns or draws it.
    package let wording: StyleWording
    /// The model's own word that an earlier training of `lora` gave it; nil where it has none yet.
    package var word: String?

    /// - Parameters:
    ///   - origins: of the references; the references themselves, where they are whole pictures.
    ///   - shapes: of the references, in their order; nil: squares of the model's size.
    package init(
        name: String, role: ConceptRole = .subject, className: String, references: [Picture],
        origins: [PictureOrigin]? = nil, shapes: [ModelDescription.Size]? = nil, wording: StyleWording = .paper
    ) {
        let origins = origins ?? references.map(PictureOrigin.init(middleOf:))
        precondition(origins.count == references.count, "\(origins.count) origins of \(references.count) references")
        precondition(shapes.map { $0.count == references.count } ?? true, "a shape for every reference, or none")
        self.origins = origins
        self.shapes = shapes
        self.wording = wording
        self.name = name
        self.role = role
        self.className = className
        self.references = references
    }

    /// The references as pictures of the model's size.
    package func squares(of size: Int) -> [Picture] {
        references.map { $0.filling(width: size, height: size) }
    }

    /// The references as they are learnt where none is enlarged: in their shapes, or as squares of the model's size.
    package func pictures(size: Int) -> [Picture] {
        guard let shapes else { return squares(of: size) }
        return zip(references, shapes).map { $0.fillingBicubically(width: $1.width, height: $1.height) }
    }

    /// What prompts name it by.
    package var placeholder: String { "<\(name)>" }

    /// "a <rex> dog": what ARBooth and Proxy-Tuning call it by.
    package var plainPrompt: String { "a \(placeholder) \(className)" }
    /// "a dog", "an owl": what they call any of its class by, which must stay.
    package var plainClassPrompt: String { anyOfItsClass ?? "a picture" }

    /// A photo of the concept, which goes by `identifier`, at a place.
    package func photoPrompt(_ identifier: String, _ place: String = "") -> String {
        let place = place.isEmpty ? "" : " " + place
        if role == .subject { return "a photo of \(identifier) \(className)\(place)" }
        return wording(subject: plainClassPrompt + place, style: identifier)
    }

    /// A photo of any of its class.
    package var classPhotoPrompt: String { anyOfItsClass.map { "a photo of \($0)" } ?? "a photo" }
    /// `a dog`, `an owl`; nil where the class is not said.
    package var anyOfItsClass: String? { className.isEmpty ? nil : className.withArticle }
}
