/// HTML's character references, as Python's `html.unescape` reads them: numbers, Latin-1's names and the common
/// typographic ones.
enum HTMLEntities {
    /// U+00A0 to U+00FF, in order. These and the five of XML need no semicolon.
    private static let latin1 = """
        nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
        micro para middot cedil \
        sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute \
        Ecirc Euml Igrave Iacute \
        Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN \
        szlig agrave aacute acirc \
        atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute \
        ocirc otilde ouml divide \
        oslash ugrave uacute ucirc uuml yacute thorn yuml
        """
    private static let unclosed = Dictionary(
        uniqueKeysWithValues: latin1.split(separator: " ").enumerated().map {
            (String($1), String(Unicode.Scalar(UInt8(0xA0 + $0))))
        }
    ).merging(["quot": "\"", "amp": "&", "lt": "<", "gt": ">"]) { first, _ in first }

    private static let closed = unclosed.merging(
        [
            "apos": "'", "ndash": "–", "mdash": "—", "lsquo": "‘", "rsquo": "’", "sbquo": "‚", "ldquo": "“",
            "rdquo": "”", "bdquo": "„",
            "dagger": "†", "Dagger": "‡", "bull": "•", "hellip": "…", "permil": "‰", "prime": "′", "Prime": "″",
            "lsaquo": "‹", "rsaquo": "›",
            "euro": "€", "trade": "™", "larr": "←", "uarr": "↑", "rarr": "→", "darr": "↓", "harr": "↔", "hearts": "♥",
            "spades": "♠",
            "clubs": "♣", "diams": "♦", "infin": "∞", "ne": "≠", "le": "≤", "ge": "≥", "minus": "−", "OElig": "Œ",
            "oelig": "œ", "Scaron": "Š",
            "scaron": "š", "Yuml": "Ÿ", "fnof": "ƒ", "circ": "ˆ", "tilde": "˜", "ensp": "\u{2002}", "emsp": "\u{2003}",
            "thinsp": "\u{2009}",
        ]
    ) { first, _ in first }

    /// The text with every known reference replaced, once, from left to right.
    static func unescaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = Substring(text).unicodeScalars
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            rest = rest[start...].dropFirst()
            if let (characters, length) = reference(rest) {
                result += characters.unicodeScalars
                rest = rest.dropFirst(length)
            } else {
                result.append("&")
            }
        }
        return String(result + rest)
    }

    /// What a reference after `&` stands for, and how many characters it takes.
    private static func reference(_ text: Substring.UnicodeScalarView) -> (String, Int)? {
        if text.first == "#" { return number(text.dropFirst()).map { ($0, $1 + 1) } }
        let name = String(
            Substring(
                text.prefix(32).prefix {
                    $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
                }))
        if text.dropFirst(name.unicodeScalars.count).first == ";", let found = closed[name] {
            return (found, name.count + 1)
        }
        return (1...max(name.count, 1)).reversed().lazy.compactMap { length in
            unclosed[String(name.prefix(length))].map { ($0, length) }
        }.first
    }

    /// Decimal or hexadecimal digits after `#`, with or without a semicolon.
    private static func number(_ text: Substring.UnicodeScalarView) -> (String, Int)? {
        let isHexadecimal = text.first == "x" || text.first == "X"
        let radix = isHexadecimal ? 16 : 10
        let digits = String(
            Substring(
                text.dropFirst(isHexadecimal ? 1 : 0).prefix {
                    $0.isASCII && Character($0).hexDigitValue.map { $0 < radix } ?? false
                }))
        guard !digits.isEmpty else { return nil }
        let character = UInt32(digits, radix: radix).flatMap(Unicode.Scalar.init).map(String.init) ?? "\u{FFFD}"
        let taken = digits.count + (isHexadecimal ? 1 : 0)
        return (character, taken + (text.dropFirst(taken).first == ";" ? 1 : 0))
    }
}
