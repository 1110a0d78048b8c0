import Foundation

/// SentencePiece's character map as `tokenizer.json` carries it: a double-array trie (Darts) from character sequences
/// to their normal forms. Semantics of Hugging Face's spm_precompiled: whole graphemes first when short, then character
/// by character.
struct PrecompiledNormalizer: Sendable {
    private let trie: [UInt32]
    /// Normal forms, each ended by a zero byte.
    private let forms: [UInt8]

    /// - Returns: nil when the sizes do not fit.
    init?(_ data: Data) {
        let bytes = [UInt8](data)
        guard bytes.count >= 4 else { return nil }
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
        let size = Int(word(0))
        guard size % 4 == 0, size > 0, 4 + size <= bytes.count else { return nil }
        trie = (0..<size / 4).map { word(4 + 4 * $0) }
        forms = Array(bytes[(4 + size)...])
    }

    func normalize(_ text: String) -> String {
        var result = ""
        for grapheme in text {
            let whole = String(grapheme)
            if whole.utf8.count < 6, let form = form(of: whole) {
                result += form
            } else {
                for scalar in whole.unicodeScalars { result += form(of: String(scalar)) ?? String(scalar) }
            }
        }
        return result
    }

    /// The normal form of the shortest known beginning of `text`.
    private func form(of text: String) -> String? {
        var at = Int(offset(trie[0]))
        for byte in text.utf8 {
            at ^= Int(byte)
            guard trie.indices.contains(at) else { return nil }
            let unit = trie[at]
            guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
            at ^= Int(offset(unit))
            guard trie.indices.contains(at) else { return nil }
            if unit >> 8 & 1 == 1 {
                let start = Int(trie[at] & 0x7FFF_FFFF)
                guard start <= forms.count else { return nil }
                return String(decoding: forms[start...].prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        return nil
    }

    private func offset(_ unit: UInt32) -> UInt32 { (unit >> 10) << ((unit & 1 << 9) >> 6) }
}
