extension String {
    /// The whole number that follows a prefix and ends at a dot.
    package func number(after prefix: String) -> Int? {
        hasPrefix(prefix) ? Int(dropFirst(prefix.count).prefix { $0 != "." }) : nil
    }
}

extension Sequence where Element == String {
    /// How many different numbers stand in names after a prefix: the blocks, layers or levels of a network.
    package func count(after prefix: String) -> Int { Set(compactMap { $0.number(after: prefix) }).count }
}
