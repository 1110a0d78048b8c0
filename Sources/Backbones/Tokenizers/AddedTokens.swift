/// Tokens that are cut out of a text before it is cut into words: marks, and concepts' placeholders. As in Hugging
/// Face's tokenizers the leftmost is taken, and of those the longest: first of those that are looked for in the text as
/// it is written, then, once what is between them is made normal, of the others.
struct AddedTokens: Sendable {
    /// One of them, and what it takes of the text around it.
    struct Token: Sendable {
        let content: String
        let id: Int32
        /// Blanks before and after it belong to it (`lstrip`, `rstrip`).
        var takesBlanksBefore = false
        var takesBlanksAfter = false
        /// It is none within a word (`single_word`).
        var isWholeWord = false
        /// It is looked for in the normal text, by its own normal form (`normalized`).
        var isNormalized = false
    }

    /// A part of a text.
    enum Part: Equatable {
        case text(String)
        case token(Int32)
    }

    private var written = TokenSearch()
    private var normal = TokenSearch()
    private var identifiers: [String: Int32] = [:]
    private let normalize: @Sendable (String) -> String

    /// - Parameter normalize: what is done to the text between the tokens.
    init(_ tokens: [Token] = [], normalize: @escaping @Sendable (String) -> String = { $0 }) {
        self.normalize = normalize
        for token in tokens { add(token) }
    }

    /// Adds a token; one of the same content gives way.
    mutating func add(_ token: Token) {
        identifiers[token.content] = token.id
        if token.isNormalized {
            normal.add(token, as: normalize(token.content))
        } else {
            written.add(token, as: token.content)
        }
    }

    /// The id of a token.
    func identifier(of content: String) -> Int32? { identifiers[content] }
    /// The largest id, or nil where there are none.
    var lastID: Int32? { identifiers.values.max() }

    /// The text between the tokens, made normal, and those, in order; no empty text.
    func parts(of text: String) -> [Part] {
        split(text).flatMap { part in
            guard case .text(let text) = part else { return [part] }
            return normal.split(normalize(text))
        }
    }

    /// The text as it is written between the tokens that are looked for in it, and those, in order; no empty text.
    func split(_ text: String) -> [Part] { written.split(text) }
}

extension AddedTokens.Token {
    /// An entry of `added_tokens`; nil where it has no content or id.
    init?(_ entry: [String: Any], id: Int?) {
        guard let content = entry["content"] as? String, let id else { return nil }
        func flag(_ name: String) -> Bool { entry[name] as? Bool ?? false }
        self.init(
            content: content, id: Int32(clamping: id), takesBlanksBefore: flag("lstrip"),
            takesBlanksAfter: flag("rstrip"), isWholeWord: flag("single_word"), isNormalized: flag("normalized"))
    }

    /// The `added_tokens` of a `tokenizer.json`, none where it says nothing of any; nil where one has no content or id.
    static func listed(_ list: Any?) -> [Self]? {
        let entries = list as? [[String: Any]] ?? []
        let tokens = entries.compactMap { Self($0, id: $0["id"] as? Int) }
        return tokens.count == entries.count ? tokens : nil
    }
}
