import Foundation

/// What `tokenizer.json` says is done to a text before it is split: T5's character map, one of Unicode's normal forms,
/// small letters, replacements, blanks at the ends, or several in turn.
indirect enum TextNormalizer: Sendable {
    /// Unicode's normal forms (UAX 15).
    enum Form: String, CaseIterable, Sendable {
        case composed = "NFC"
        case decomposed = "NFD"
        case compatiblyComposed = "NFKC"
        case compatiblyDecomposed = "NFKD"
    }

    case precompiled(PrecompiledNormalizer)
    case form(Form)
    case lowercase
    case replace(pattern: String, by: String)
    case sequence([TextNormalizer])

    /// What is wrong with the description.
    struct Flaw: Error, CustomStringConvertible { let description: String }

    /// - Parameter settings: the object of the file.
    /// - Throws: `Flaw` for what is damaged or not known: a text read otherwise than in training is read wrong without
    ///   a word.
    init(_ settings: [String: Any]) throws(Flaw) {
        switch settings["type"] as? String ?? "" {
        case "Lowercase": self = .lowercase
        case "Replace":
            let pattern = settings["pattern"] as? [String: Any]
            let text = pattern?["String"] as? String
            guard let expression = pattern?["Regex"] as? String ?? text.map(NSRegularExpression.escapedPattern),
                let content = settings["content"] as? String,
                (try? NSRegularExpression(pattern: expression)) != nil
            else { throw Flaw(description: "normalizer: a Replace needs a pattern and its content") }
            self = .replace(pattern: expression, by: content)
        case "Strip":
            let ends = [("strip_left", "^\\p{White_Space}+"), ("strip_right", "\\p{White_Space}+$")]
            self = .sequence(
                ends.filter { settings[$0.0] as? Bool ?? true }.map { .replace(pattern: $0.1, by: "") })
        case "Sequence":
            var steps: [TextNormalizer] = []
            for step in settings["normalizers"] as? [[String: Any]] ?? [] { steps.append(try TextNormalizer(step)) }
            self = .sequence(steps)
        case let type:
            if let form = Form(rawValue: type) {
                self = .form(form)
                return
            }
            guard let map = settings["precompiled_charsmap"] as? String else {
                let forms = Form.allCases.map(\.rawValue).joined(separator: ", ")
                throw Flaw(
                    description: "normalizer \(type): known are Precompiled, \(forms), Lowercase, Replace, Strip and "
                        + "Sequence")
            }
            guard let bytes = Data(base64Encoded: map), let parsed = PrecompiledNormalizer(bytes) else {
                throw Flaw(description: "normalizer.precompiled_charsmap is damaged")
            }
            self = .precompiled(parsed)
        }
    }

    /// What a file's `normalizer` does to a text: nothing where there is none.
    /// - Throws: `Flaw`.
    static func function(_ settings: Any?) throws(Flaw) -> @Sendable (String) -> String {
        guard let settings = settings as? [String: Any] else { return { $0 } }
        let normalizer = try TextNormalizer(settings)
        return { normalizer.normalize($0) }
    }

    func normalize(_ text: String) -> String {
        switch self {
        case .precompiled(let map): map.normalize(text)
        case .form(.composed): text.precomposedStringWithCanonicalMapping
        case .form(.decomposed): text.decomposedStringWithCanonicalMapping
        case .form(.compatiblyComposed): text.precomposedStringWithCompatibilityMapping
        case .form(.compatiblyDecomposed): text.decomposedStringWithCompatibilityMapping
        case .lowercase: text.lowercased()
        case .replace(let pattern, let content):
            text.replacingOccurrences(
                of: pattern, with: NSRegularExpression.escapedTemplate(for: content), options: .regularExpression)
        case .sequence(let steps): steps.reduce(text) { $1.normalize($0) }
        }
    }

    /// For a vocabulary of small words: capitals are small letters, and punctuation parts words as a space does. Else
    /// each would be read as the unknown word.
    static var plainWords: [String: Any] {
        [
            "type": "Sequence",
            "normalizers": [
                ["type": "Lowercase"],
                ["type": "Replace", "pattern": ["Regex": "[^\\p{L}\\p{N}\\s]+"], "content": " "],
            ] as [[String: Any]],
        ]
    }
}
