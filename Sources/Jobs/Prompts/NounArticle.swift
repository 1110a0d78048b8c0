extension String {
    /// With the article that it is said with: `a dog`, `an owl`, `an Akita`, `a unicorn`.
    package var withArticle: String { (beginsWithVowel ? "an " : "a ") + self }

    /// By its letters; what is said as *you* is begins with none.
    private var beginsWithVowel: Bool {
        let letters = lowercased()
        let isSaidAsYou = ["eu", "uk", "uni"].contains { letters.hasPrefix($0) }
        return letters.first.map { "aeiou".contains($0) } == true && !isSaidAsYou
    }
}
