import Foundation

/// What LlamaGen does to a caption before it is read, as its training data was treated (language/t5.py,
/// `text_preprocessing`, after DeepFloyd): lower case, no markup, links, names, numbers of articles and files. A
/// concept's placeholder `<…>` is markup to it, and must be put in afterwards.
package enum CaptionCleaning {
    /// A caption cleaned twice, as the reference does.
    package static func cleaned(_ caption: String) -> String { once(once(caption)) }

    /// The same, sparing marks such as `<rex>`: a word that no rule touches stands in for each.
    /// - Parameter spares: whether a mark is one to spare.
    package static func cleaned(_ caption: String, sparing spares: (String) -> Bool) -> String {
        var spared: [String] = []
        let safe = caption.replacing(/<[a-z0-9_@-]+>/) { match in
            let mark = String(match.output)
            guard spares(mark) else { return mark }
            if !spared.contains(mark) { spared.append(mark) }
            return standIn(spared.firstIndex(of: mark)!)
        }
        return spared.indices.reduce(cleaned(safe)) { $0.replacing(standIn($1), with: spared[$1]) }
    }

    /// A word of letters alone, unlike any other.
    private static func standIn(_ index: Int) -> String { "qxz" + String(repeating: "j", count: index + 1) + "zxq" }

    private static func once(_ caption: String) -> String {
        var text = unquoted(caption).trimmed.lowercasedAsPython.replacingOccurrences(of: "<person>", with: "person")
        for rule in links { text = rule.applied(to: text) }
        text = withoutMarkup(text)
        for rule in signs { text = rule.applied(to: text) }
        if text.count(where: { $0 == "-" || $0 == "_" }) > 3 {
            text = text.replacingOccurrences(of: "-", with: " ").replacingOccurrences(of: "_", with: " ")
        }
        text = HTMLEntities.unescaped(HTMLEntities.unescaped(TextRepair.repaired(text))).trimmed
        for rule in words { text = rule.applied(to: text) }
        return text.trimmed
    }

    /// A pattern and what stands in its place.
    private struct Rule: @unchecked Sendable {  // NSRegularExpression is immutable
        private let expression: NSRegularExpression
        private let replacement: String

        init(_ pattern: String, _ replacement: String = "") {
            // The patterns are constants of this file.
            expression = try! NSRegularExpression(pattern: pattern)
            self.replacement = replacement
        }

        func applied(to text: String) -> String {
            expression.stringByReplacingMatches(
                in: text, range: NSRange(text.startIndex..., in: text), withTemplate: replacement)
        }
    }

    private static let domains = #"[a-zA-Z0-9.\-]+[.](?:com|co|ru|net|org|edu|gov|it)[\w/-]*\b/?(?!@)"#
    private static let files = "(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)"

    private static let links = ["https?", "www"].map {
        Rule(#"\b((?:\#($0):(?:/{1,3}|[a-zA-Z0-9%])|\#(domains)))"#)
    }

    /// Names, East Asian signs, dashes and quotes of all kinds, numbers, files, and signs that are no words.
    private static let signs = [
        Rule(#"@[\w\d]+\b"#), Rule(#"[\u31c0-\u4dff\u4e00-\u9fff]+"#),
        Rule(
            #"[\u002D\u058A\u05BE\u1400\u1806\u2010-\u2015\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u301C\u3030\u30A0"#
                + #"\uFE31\uFE32\uFE58\uFE63\uFF0D]+"#, "-"),
        Rule("[`´«»“”¨]", "\""), Rule("[‘’]", "'"), Rule("&quot;?"), Rule("&amp"),
        Rule(#"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"#, " "), Rule(#"\d:\d\d\s+$"#), Rule(#"\\n"#, " "),
        Rule(#"#\d{1,3}\b"#), Rule(#"#\d{5,}\b"#), Rule(#"\b\d{6,}\b"#), Rule(#"\S+\.\#(files)"#),
        Rule(#"["']{2,}"#, "\""), Rule(#"\.{2,}"#, " "), Rule(#"[#®•©™&@·º½¾¿¡§~)(\]\[}{|\\/*]+"#, " "),
        Rule(#"\s+\.\s+"#, " "),
    ]

    /// Serial numbers, phrases of shops, sizes, and blanks.
    private static let words = [
        Rule(#"\b[a-zA-Z]{1,3}\d{3,15}\b"#), Rule(#"\b[a-zA-Z]+\d+[a-zA-Z]+\b"#), Rule(#"\b\d+[a-zA-Z]+\d+\b"#),
        Rule(#"(worldwide\s+)?(free\s+)?shipping"#), Rule(#"(free\s)?download(\sfree)?"#),
        Rule(#"\bclick\b\s(?:for|on)\s\w+"#), Rule(#"\b\#(files)(\simage[s]?)?"#), Rule(#"\bpage\s+\d+\b"#),
        Rule(#"\b\d*[a-zA-Z]+\d+[a-zA-Z]+\d+[a-zA-Z\d]*\b"#, " "), Rule(#"\b\d+\.?\d*[xх×]\d+\.?\d*\b"#),
        Rule(#"\b\s+:\s+"#, ": "), Rule(#"(\D[,./])\b"#, "$1 "), Rule(#"\s+"#, " "),
        Rule(#"^["']([\w\W]+)["']$"#, "$1"), Rule("^['_,\\-:;]"), Rule("['_,\\-:+]$"), Rule(#"^\.\S+$"#),
    ]

    /// `+` and `%XX` as in a link.
    private static func unquoted(_ text: String) -> String {
        let spaced = text.replacingOccurrences(of: "+", with: " ")
        guard spaced.contains("%") else { return spaced }
        let bytes = Array(spaced.utf8)
        var (result, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16),
                bytes[index + 1] != UInt8(ascii: "+"), bytes[index + 1] != UInt8(ascii: "-")
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A text without tags, comments, programs and styles, its character references resolved, as an HTML parser reads
    /// it: a `<` that opens no tag is a sign.
    private static func withoutMarkup(_ text: String) -> String {
        var (result, rest) = ("", Substring(text))
        while let open = rest.firstIndex(of: "<") {
            // What stands before a tag ends there.
            result += String(HTMLEntities.parsed(rest[...open]).unicodeScalars.dropLast())
            let after = rest[rest.index(after: open)...]
            let isTag = after.first.map { ($0.isASCII && $0.isLetter) || "/!?".contains($0) } ?? false
            guard isTag, let close = after.firstRange(of: after.hasPrefix("!--") ? "-->" : ">") else {
                result += "<"
                rest = after
                continue
            }
            rest = after[close.upperBound...]
            if let name = hidden(after[..<close.lowerBound]) {
                rest = rest.firstRange(of: "</\(name)").map { rest[$0.lowerBound...] } ?? ""
            }
        }
        return result + HTMLEntities.parsed(rest)
    }

    /// The name of an opening tag whose content is no text.
    private static func hidden(_ tag: Substring) -> String? {
        guard tag.last != "/" else { return nil }
        let name = tag.prefix { !$0.isWhitespace && $0 != "/" }
        return ["script", "style"].first { $0 == name }
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
