/// HTML's character references, as Python's `html.unescape` reads them: numbers, and the names of HTML 4 (24: Latin-1,
/// Greek, mathematics, typography).
enum HTMLEntities {
    /// U+00A0 to U+00FF, in order. These need no semicolon, nor do XML's, and six names in capitals.
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
    ).merging([
        "quot": "\"", "amp": "&", "lt": "<", "gt": ">", "QUOT": "\"", "AMP": "&", "LT": "<", "GT": ">", "COPY": "©",
        "REG": "®",
    ]) { first, _ in first }

    /// U+0391 to U+03A9 but for U+03A2, which there is not; then the small letters, U+03B1 to U+03C9.
    private static let greek = """
        Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon Phi \
        Chi Psi Omega \
        alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau \
        upsilon phi chi psi omega
        """
    private static let greekLetters: [String: String] = {
        let letters = (UInt32(0x391)...0x3A9).filter { $0 != 0x3A2 } + Array(UInt32(0x3B1)...0x3C9)
        let names = greek.split(separator: " ").map(String.init)
        return Dictionary(uniqueKeysWithValues: zip(names, letters.map { String(Unicode.Scalar($0)!) }))
    }()

    private static let signs = [
        "thetasym": "ϑ", "upsih": "ϒ", "piv": "ϖ", "oline": "‾", "frasl": "⁄", "weierp": "℘", "image": "ℑ",
        "real": "ℜ", "alefsym": "ℵ", "crarr": "↵", "lArr": "⇐", "uArr": "⇑", "rArr": "⇒", "dArr": "⇓", "hArr": "⇔",
        "forall": "∀", "part": "∂", "exist": "∃", "empty": "∅", "nabla": "∇", "isin": "∈", "notin": "∉", "ni": "∋",
        "prod": "∏", "sum": "∑", "lowast": "∗", "radic": "√", "prop": "∝", "ang": "∠", "and": "∧", "or": "∨",
        "cap": "∩", "cup": "∪", "int": "∫", "there4": "∴", "sim": "∼", "cong": "≅", "asymp": "≈", "equiv": "≡",
        "sub": "⊂", "sup": "⊃", "nsub": "⊄", "sube": "⊆", "supe": "⊇", "oplus": "⊕", "otimes": "⊗", "perp": "⊥",
        "sdot": "⋅", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "lang": "⟨", "rang": "⟩", "loz": "◊",
        "zwnj": "\u{200C}", "zwj": "\u{200D}", "lrm": "\u{200E}", "rlm": "\u{200F}",
    ]

    private static let closed = unclosed.merging(greekLetters) { first, _ in first }.merging(signs) { first, _ in
        first
    }.merging(
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
    static func unescaped(_ text: String) -> String { replaced(Substring(text), reference) }

    /// The same of a text between tags, as Beautiful Soup reads it by Python's parser: only whole words are names, and
    /// an unknown one loses its semicolon.
    static func parsed(_ text: Substring) -> String { replaced(text, wholeReference) }

    private static func replaced(
        _ text: Substring, _ reference: (Substring.UnicodeScalarView) -> (String, Int)?
    ) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars
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

    /// As `reference`; it must end before the text does.
    private static func wholeReference(_ text: Substring.UnicodeScalarView) -> (String, Int)? {
        if text.first == "#" {
            guard let (character, length) = number(text.dropFirst()) else { return nil }
            let next = text.dropFirst(length + 1).first
            let isEnded = text.prefix(length + 1).last == ";" || next.map { !$0.properties.isASCIIHexDigit } ?? false
            return isEnded ? (character, length + 1) : nil
        }
        var name = text.prefix { isLetter($0) || isDigit($0) || $0 == "-" || $0 == "." }
        if name.endIndex == text.endIndex {
            guard let end = name.lastIndex(where: { $0 == "-" || $0 == "." }) else { return nil }
            name = name[..<end]
        }
        guard let first = name.first, isLetter(first) else { return nil }
        let word = String(Substring(name))
        return (closed[word] ?? "&" + word, name.count + (text.dropFirst(name.count).first == ";" ? 1 : 0))
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar.isASCII && scalar.properties.isAlphabetic }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar.properties.numericType != nil
    }

    /// What a reference after `&` stands for, and how many characters it takes.
    private static func reference(_ text: Substring.UnicodeScalarView) -> (String, Int)? {
        if text.first == "#" { return number(text.dropFirst()).map { ($0, $1 + 1) } }
        let name = String(Substring(text.prefix(32).prefix { isLetter($0) || isDigit($0) }))
        if text.dropFirst(name.unicodeScalars.count).first == ";", let found = closed[name] {
            return (found, name.count + 1)
        }
        return (1...max(name.count, 1)).reversed().lazy.compactMap { length in
            unclosed[String(name.prefix(length))].map { ($0, length) }
        }.first
    }

    /// What a number stands for: of C1's controls those of Windows-1252 at their places, of other controls and of what
    /// is no character nothing.
    private static func meaning(_ number: UInt32) -> String {
        switch number {
        case 0: return "\u{FFFD}"
        case 0x80...0x9F:
            let meant = TextRepair.windows1252[Int(number) - 0x80]
            return String(Unicode.Scalar(meant == 0 ? number : meant)!)
        case 1...8, 0xB, 0xE...0x1F, 0x7F, 0xFDD0...0xFDEF: return ""
        default:
            guard let scalar = Unicode.Scalar(number) else { return "\u{FFFD}" }
            return number & 0xFFFE == 0xFFFE ? "" : String(scalar)
        }
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
        let character = UInt32(digits, radix: radix).map(meaning) ?? "\u{FFFD}"
        let taken = digits.count + (isHexadecimal ? 1 : 0)
        return (character, taken + (text.dropFirst(taken).first == ";" ? 1 : 0))
    }
}
