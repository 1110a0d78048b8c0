/// How the file of a Unigram tokenizer cuts a text into words: at white space, where it says so, and before every ▁,
/// which Hugging Face's `Metaspace` writes for a blank and puts before what begins without one.
struct WordSplitting: Sendable {
    /// What gets a ▁ where it has none: each part of a text, as in T5's files; the one that the text begins with, as
    /// transformers writes them of `legacy: false`; none.
    enum Prefix: String, Sendable { case always, first, never }

    private var cutsAtBlanks = true
    private var prefix = Prefix.always
    private static let mark: Unicode.Scalar = "▁"

    /// T5's, whose SentencePiece model says none of this.
    init() {}

    /// What `pre_tokenizer` says; nil where it is not known. A text that is cut otherwise than in training is read
    /// wrong without a word.
    init?(_ settings: Any?) {
        guard let settings = settings as? [String: Any] else { return nil }
        let steps = settings["pretokenizers"] as? [[String: Any]] ?? [settings]
        let kinds = steps.map { $0["type"] as? String ?? "" }
        guard kinds == ["Metaspace"] || kinds == ["WhitespaceSplit", "Metaspace"], let last = steps.last,
            last["replacement"] as? String == String(Self.mark), last["split"] as? Bool ?? true,
            let prefix = Prefix(
                rawValue: last["prepend_scheme"] as? String
                    ?? (last["add_prefix_space"] as? Bool ?? true ? "always" : "never"))
        else { return nil }
        (cutsAtBlanks, self.prefix) = (kinds.count == 2, prefix)
    }

    /// What is known, for whoever brings another.
    static let known = "pre_tokenizer: known is Metaspace (with ▁, split), alone or after WhitespaceSplit"

    /// The words of a normal text.
    /// - Parameter isFirst: whether it is the begin of a whole text, or follows a mark in it.
    func words(of text: String, isFirst: Bool) -> [[Unicode.Scalar]] {
        let scalars = Array(text.unicodeScalars)
        let parts = cutsAtBlanks ? scalars.split { $0.properties.isWhitespace } : [scalars[...]]
        return parts.filter { !$0.isEmpty }.flatMap { part -> [[Unicode.Scalar]] in
            let isMarked = prefix == .always || prefix == .first && isFirst && part.startIndex == 0
            var part = part.map { $0 == " " ? Self.mark : $0 }
            if part[0] != Self.mark, isMarked { part.insert(Self.mark, at: 0) }
            return part.reduce(into: []) { words, scalar in
                if scalar == Self.mark || words.isEmpty { words.append([]) }
                words[words.count - 1].append(scalar)
            }
        }
    }
}
