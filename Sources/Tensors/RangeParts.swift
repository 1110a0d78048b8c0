extension Range<Int> {
    /// The range in parts of so many, the last with what is left.
    package func parts(of size: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
    }
}
