extension [Int] {
    /// One side of a shape; nil of a shape that has fewer.
    func side(_ index: Int) -> Int? { indices.contains(index) ? self[index] : nil }
}
