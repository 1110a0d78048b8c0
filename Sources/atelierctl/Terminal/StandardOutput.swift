import Hashing

/// A text on stdout at once, in the place of Swift's own, which fills a buffer first and says nothing of what cannot
/// be written.
func print(_ text: String, terminator: String = "\n") { StandardStream.output.write(text + terminator) }
