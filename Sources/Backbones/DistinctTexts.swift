/// Texts of which several may be the same, as prompts are of which several pictures are drawn: each different one is
/// read once, and by itself, so that no encoder runs on what a shorter one is filled up with.
package struct DistinctTexts {
    /// The different ones, in the order in which they are met.
    package let texts: [String]
    /// Which of them each of the given texts is.
    package let places: [Int]

    /// - Parameter all: in any order.
    package init(_ all: [String]) {
        var texts: [String] = []
        var known: [String: Int] = [:]
        places = all.map { text in
            if let place = known[text] { return place }
            known[text] = texts.count
            texts.append(text)
            return texts.count - 1
        }
        self.texts = texts
    }

    /// What is read of each of the given texts, in their order.
    package func read<Features>(_ read: (String) -> Features) -> [Features] {
        let features = texts.map(read)
        return places.map { features[$0] }
    }
}
