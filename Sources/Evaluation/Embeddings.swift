import Backbones
import Images
import Tensors

/// What an encoder made of pictures or texts: rows of length one, so that a dot product is a cosine.
package struct Embeddings {
    /// Its name; cosines exist only within one encoder's embeddings.
    package let encoder: String
    /// [N, D].
    private let rows: Tensor
    /// N.
    package var count: Int { rows.shape[0] }

    /// - Parameter vectors: [N, D], of any lengths but zero.
    package init(_ vectors: Tensor, encoder: String) {
        precondition(vectors.shape.count == 2 && vectors.shape[0] > 0, "embeddings of shape \(vectors.shape)")
        self.encoder = encoder
        rows = vectors.copy()
        for index in 0..<rows.shape[0] {
            let row = rows.slice(index..<index + 1)
            let length = Float(row.sumOfSquares.squareRoot())
            for i in 0..<row.count { row.pointer[i] /= max(length, 1e-12) }
        }
    }

    /// The rows of several, all of one encoder; one or more.
    init(joining parts: [Embeddings]) {
        precondition(Set(parts.map(\.encoder)).count == 1, "embeddings of \(parts.map(\.encoder)) are no neighbours")
        encoder = parts[0].encoder
        rows = .joined(parts.map(\.rows))
    }

    /// A row a picture.
    package init(of pictures: [Picture], by encoder: some ImageEncoder) {
        self.init(encoder.embeddings(of: pictures), encoder: encoder.name)
    }

    /// A row a text.
    package init(of texts: [String], by encoder: CLIPEncoder) {
        let distinct = DistinctTexts(texts)
        let rows = encoder.embeddings(of: distinct.texts)
        self.init(.joined(distinct.places.map { rows.slice($0..<$0 + 1) }), encoder: encoder.name)
    }

    /// The mean of cos(a, b) over all pairs of a row here and a row there.
    func meanCosine(with others: Embeddings) -> Double {
        precondition(encoder == others.encoder, "embeddings of \(encoder) and of \(others.encoder) are no neighbours")
        return zip(sum, others.sum).reduce(0) { $0 + $1.0 * $1.1 } / Double(count * others.count)
    }

    /// The mean of cos(a, b) over the unordered pairs of different rows.
    /// - Precondition: there are two rows or more.
    func meanCosineAmong() -> Double {
        precondition(count > 1, "one row has no pairs")
        let all = sum.reduce(0) { $0 + $1 * $1 }  // every ordered pair, each row's with itself among them
        return (all - Double(count)) / Double(count * (count - 1))
    }

    /// The mean of cos(a, b) over rows of the same number.
    func meanCosineRowByRow(with others: Embeddings) -> Double {
        precondition(
            encoder == others.encoder && count == others.count,
            "\(count) rows of \(encoder) beside \(others.count) of \(others.encoder)")
        let dots = zip(rows.values, others.rows.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        return dots / Double(count)
    }

    /// The rows here, nearest first, to one row of others (of these, that row itself comes first).
    package func nearest(to others: Embeddings, row: Int) -> [Int] {
        precondition(encoder == others.encoder, "embeddings of \(encoder) and of \(others.encoder) are no neighbours")
        let key = others.rows.slice(row..<row + 1).values
        let width = rows.width
        let cosines = (0..<count).map { index in
            (0..<width).reduce(Float(0)) { $0 + rows.pointer[index * width + $1] * key[$1] }
        }
        return cosines.indices.sorted { (cosines[$1], $0) < (cosines[$0], $1) }
    }

    /// The rows' sum, in double.
    private var sum: [Double] {
        let width = rows.width
        return rows.values.enumerated().reduce(into: [Double](repeating: 0, count: width)) {
            $0[$1.offset % width] += Double($1.element)
        }
    }
}
