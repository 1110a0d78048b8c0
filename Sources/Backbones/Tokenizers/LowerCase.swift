extension String {
    /// In lower case as Python's `lower` has it: a Greek sigma that ends a word becomes the one for word ends, where
    /// Swift, as Hugging Face's tokenizers do, takes the same everywhere.
    var lowercasedAsPython: String {
        let scalars = Array(unicodeScalars)
        var text = String.UnicodeScalarView()
        for (place, scalar) in scalars.enumerated() {
            text.append(scalar == "Σ" && scalars.endWord(at: place) ? "ς" : scalar)
        }
        return String(text).lowercased()
    }
}

extension [Unicode.Scalar] {
    /// Whether letters stand before a place and none behind it (Unicode's Final_Sigma).
    fileprivate func endWord(at place: Int) -> Bool {
        let before = self[..<place].last { !$0.properties.isCaseIgnorable }
        let after = self[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }
}
