import Backbones
import Engine
import Evaluation
import Images

/// For looking at what an encoder finds alike: rows of a picture and those it holds for the nearest.
struct NeighbourSheet {
    let pictures: [Picture]
    let embeddings: Embeddings
    private static let neighbours = 8

    init(pictures: [Picture], embeddings: Embeddings) { (self.pictures, self.embeddings) = (pictures, embeddings) }

    /// A row for each of the pictures `queries`, which are looked up by themselves or, row i of `keys` for query i, by
    /// something else.
    func picture(queries: [Int], keys: Embeddings? = nil) -> Picture {
        let rows = queries.enumerated().flatMap { row, query -> [Picture] in
            let nearest = embeddings.nearest(to: keys ?? embeddings, row: keys == nil ? query : row).filter {
                keys != nil || $0 != query
            }
            return [pictures[query]] + nearest.prefix(NeighbourSheet.neighbours).map { pictures[$0] }
        }
        return Grid.rows(of: NeighbourSheet.neighbours + 1, rows)
    }
}

extension NeighbourSheet {
    /// Pictures never seen in training, and beside each those that the encoder holds for nearest to its caption's
    /// words.
    static func picture(of encoder: CLIPEncoder) -> Picture {
        let scenes = HeldOutScenes.known(count: 200)
        let pictures = scenes.painted(size: encoder.model.configuration.vision.pictureSize)
        let captions = Embeddings(of: scenes.prefix(12).map(\.caption), by: encoder)
        return NeighbourSheet(pictures: pictures, embeddings: Embeddings(of: pictures, by: encoder)).picture(
            queries: Array(0..<12), keys: captions)
    }

    /// Individuals never seen in training, and the pictures that the encoder holds for their nearest.
    static func picture(of encoder: DINOEncoder) -> Picture {
        let photos = HeldOutIndividuals(count: 26, photosEach: 8)
        let pictures = photos.painted(size: encoder.model.configuration.pictureSize)
        return NeighbourSheet(pictures: pictures, embeddings: Embeddings(of: pictures, by: encoder)).picture(
            queries: stride(from: 0, to: pictures.count, by: 16).map { $0 })
    }
}
