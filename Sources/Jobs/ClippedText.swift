extension String {
    /// The text, or the first `count` scalars of a longer one and an ellipsis. Characters are not what is counted: a
    /// single one may consist of any number of scalars.
    package func clipped(to count: Int) -> String {
        guard utf8.count > count, let end = unicodeScalars.index(startIndex, offsetBy: count, limitedBy: endIndex),
            end < endIndex
        else { return self }
        return String(unicodeScalars[..<end]) + "…"
    }
}
