import Backbones
import Engine
import Evaluation
import Images
import LittleWorld

/// What an encoder finds of Little World that training never showed: the figures of its model card, shares in 0…1.
package enum EncoderFigures {
    /// The figures, by name, of an encoder's folder as it is shipped and `EncoderTraining.export` writes it.
    /// - Parameter sheet: the PNG file for what it holds for nearest to what; nil writes none.
    /// - Throws: where the folder's files cannot be read, or the sheet not be written.
    package static func figures(
        _ kind: EncoderTraining.Kind, directory: String, sheet: String? = nil
    ) throws -> [String: Double] {
        switch kind {
        case .clip:
            let encoder = try CLIPEncoder(directory: directory)
            if let sheet { try NeighbourSheet.picture(of: encoder).writePNG(sheet) }
            return figures(encoder)
        case .dino:
            let encoder = try DINOEncoder(directory: directory)
            if let sheet { try NeighbourSheet.picture(of: encoder).writePNG(sheet) }
            return figures(encoder)
        }
    }

    /// Captions that find their picture among `count`, pictures that find their caption, and photos whose class is
    /// named right.
    static func figures(_ encoder: CLIPEncoder, count: Int = 500) -> [String: Double] {
        let scenes = HeldOutScenes.known(count: count)
        let side = encoder.model.configuration.vision.pictureSize
        let pictures = Embeddings(of: scenes.painted(size: side), by: encoder)
        let captions = Embeddings(of: scenes.map(\.caption), by: encoder)
        let classes = Embeddings(of: SubjectClass.allCases.map { "a photo of a \($0.name)" }, by: encoder)
        return [
            "caption finds picture": share(count) { pictures.nearest(to: captions, row: $0)[0] == $0 },
            "picture finds caption": share(count) { captions.nearest(to: pictures, row: $0)[0] == $0 },
            "class named right": share(count) {
                classes.nearest(to: pictures, row: $0)[0] == scenes[$0].labels.subject
            },
        ]
    }

    /// Photos whose nearest other photo shows the same individual, and the same class, among `count` individuals.
    static func figures(_ encoder: DINOEncoder, count: Int = 130) -> [String: Double] {
        let photos = HeldOutIndividuals(count: count, photosEach: 4)
        let embeddings = Embeddings(of: photos.painted(size: encoder.model.configuration.pictureSize), by: encoder)
        let nearest = (0..<embeddings.count).map { photo in
            embeddings.nearest(to: embeddings, row: photo).first { $0 != photo }!
        }
        return [
            "same individual nearest": share(embeddings.count) {
                photos.individual(nearest[$0]) == photos.individual($0)
            },
            "same class nearest": share(embeddings.count) {
                photos.scenes[nearest[$0]].subject.kind == photos.scenes[$0].subject.kind
            },
        ]
    }

    private static func share(_ count: Int, _ isRight: (Int) -> Bool) -> Double {
        Double((0..<count).count(where: isRight)) / Double(count)
    }
}
