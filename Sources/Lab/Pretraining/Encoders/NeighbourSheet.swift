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
