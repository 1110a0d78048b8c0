extension BytePairEncoding {
    /// Merges that make each of the words one symbol: again and again the most frequent pair of neighbours (Sennrich et
    /// al. 2016), of equally frequent ones the first in the alphabet.
    package static func merges(for words: [String], wordEnd: String) -> [(left: String, right: String)] {
        var words = words.filter { !$0.isEmpty }.map { symbols(of: $0, wordEnd: wordEnd) }
        var learned: [Pair] = []
        while let pair = mostFrequentPair(words) {
            words = words.map { merged($0, pair) }
            learned.append(pair)
        }
        return learned.map { ($0.left, $0.right) }
    }

    private static func mostFrequentPair(_ words: [[String]]) -> Pair? {
        let pairs = words.flatMap { zip($0, $0.dropFirst()).map { Pair(left: $0, right: $1) } }
        let counts = Dictionary(pairs.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.min { (-$0.value, $0.key.left, $0.key.right) < (-$1.value, $1.key.left, $1.key.right) }?.key
    }
}
