import Hashing

/// A text on stdout at once, in the place of Swift's own, which fills a buffer first and says nothing of what cannot
/// be written; on a terminal it takes the place of what was drawn there.
func print(_ text: String, terminator: String = "\n") {
    Terminal.clear()
    StandardStream.output.write(text + terminator)
}
