/// Text nobody guesses.
package enum RandomText {
    /// Random bits, 64 a word, in hexadecimal digits.
    package static func make(words: Int = 4) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<words).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
