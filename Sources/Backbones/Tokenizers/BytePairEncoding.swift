/// Byte pair encoding over bytes (Sennrich et al. 2016; GPT-2's byte alphabet): a word's bytes are written as printable
/// characters, and neighbours are merged in the order of a learned list until no listed pair is left.
package struct BytePairEncoding: Sendable {
    struct Pair: Hashable, Sendable {
        let left, right: String
    }

    private let identifiers: [String: Int32]
    private let ranks: [Pair: Int]
    /// What the last character of a word carries: `</w>` for CLIP, nothing for GPT-2 and its kin.
    private let wordEnd: String

    /// - Parameters:
    ///   - identifiers: the id of every symbol.
    ///   - merges: pairs of symbols, the earliest merged first.
    package init(identifiers: [String: Int32], merges: [(String, String)], wordEnd: String) {
        self.identifiers = identifiers
        self.wordEnd = wordEnd
        ranks = Dictionary(
            merges.enumerated().map { (Pair(left: $1.0, right: $1.1), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The merges of a file: older ones write a pair as one string, newer ones as two. Nil where one is no pair.
    static func merges(_ listed: [Any]) -> [(String, String)]? {
        let pairs = listed.compactMap { entry -> (String, String)? in
            let parts = (entry as? String)?.split(separator: " ").map(String.init) ?? entry as? [String] ?? []
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return pairs.count == listed.count ? pairs : nil
    }

    /// GPT-2's `bytes_to_unicode`: the characters that stand for the bytes, in the order of its table, printable ones
    /// first.
    static let alphabet: [(byte: UInt8, symbol: String)] = {
        let printable = [UInt8](33...126) + [UInt8](161...172) + [UInt8](174...255)
        let rest = (UInt8.min...UInt8.max).filter { !printable.contains($0) }
        return printable.map { ($0, String(Unicode.Scalar($0))) }
            + rest.enumerated().map { ($1, String(Unicode.Scalar(UInt32(256 + $0))!)) }
    }()

    private static let symbolOfByte: [String] = {
        var symbols = [String](repeating: "", count: 256)
        for entry in alphabet { symbols[Int(entry.byte)] = entry.symbol }
        return symbols
    }()

    /// The characters of a word's bytes; the last carries the word's end.
    static func symbols(of word: some StringProtocol, wordEnd: String) -> [String] {
        var parts = word.utf8.map { symbolOfByte[Int($0)] }
        if !parts.isEmpty { parts[parts.count - 1] += wordEnd }
        return parts
    }

    /// Ids of one word; symbols without an id are left out.
    package func encode(_ word: some StringProtocol) -> [Int32] {
        var parts = BytePairEncoding.symbols(of: word, wordEnd: wordEnd)
        while let best = bestPair(parts) { parts = BytePairEncoding.merged(parts, best) }
        return parts.compactMap { identifiers[$0] }
    }

    private func bestPair(_ parts: [String]) -> Pair? {
        let pairs = zip(parts, parts.dropFirst()).map { Pair(left: $0, right: $1) }
        return pairs.compactMap { pair in ranks[pair].map { (rank: $0, pair: pair) } }.min { $0.rank < $1.rank }?.pair
    }

    /// Every occurrence of the pair, from the left, becomes one symbol.
    static func merged(_ parts: [String], _ pair: Pair) -> [String] {
        parts.reduce(into: []) { merged, part in
            // What a merge has just made is longer than the pair's left half, so it is not merged again on this way.
            if part == pair.right, merged.last == pair.left {
                merged[merged.count - 1] = pair.left + pair.right
            } else {
                merged.append(part)
            }
        }
    }
}
