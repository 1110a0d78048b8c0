import Foundation

/// What open_clip does to a text before it reads it: ftfy's `fix_text`, two rounds of HTML unescaping, single spaces,
/// lower case.
///
/// Of ftfy (6.3) these repairs: HTML entities where there is no `<`; UTF-8 that was read as Latin-1 or Windows-1252, as
/// a whole text; stray C1 controls; Latin ligatures; half- and full-width forms; curly quotes; control characters;
/// terminals' colours; composition (NFC). Not its repairs of other code pages and of damaged or partial sequences.
enum TextRepair {
    static func openCLIP(_ text: String) -> String {
        let unescaped = HTMLEntities.unescaped(HTMLEntities.unescaped(repaired(text)))
        return unescaped.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }.joined(separator: " ")
            .lowercasedAsPython
    }

    /// ftfy's rounds, until nothing changes any more.
    static func repaired(_ text: String) -> String {
        var text = text
        while true {
            let next = round(text)
            // Compared scalar by scalar: composed and decomposed strings count as equal otherwise.
            if next.unicodeScalars.elementsEqual(text.unicodeScalars) { return text }
            text = next
        }
    }

    private static func round(_ text: String) -> String {
        let unescaped = text.contains("<") ? text : HTMLEntities.unescaped(text)
        let plain = decoded(unescaped).replacing(/\u{1B}\[[0-9;]*[A-Za-z]/, with: "")
        let scalars = plain.unicodeScalars.filter { !isControl($0) }
        return scalars.reduce(into: "") { $0 += replacement(for: $1) }.precomposedStringWithCanonicalMapping
    }

    /// Windows-1252's characters for the bytes 0x80…0x9F; zero where it has none.
    static let windows1252: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    /// Text whose characters, as bytes of Windows-1252 or Latin-1, are valid UTF-8 with more than ASCII in it was
    /// UTF-8.
    private static func decoded(_ text: String) -> String {
        var text = text
        while !text.utf8.allSatisfy({ $0 < 0x80 }), let bytes = bytes(of: text),
            let decoded = String(validating: bytes, as: UTF8.self)
        { text = decoded }
        return text
    }

    private static func bytes(of text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.value < 0x100 {
                bytes.append(UInt8(scalar.value))
            } else if let place = windows1252.firstIndex(of: scalar.value) {
                bytes.append(UInt8(0x80 + place))
            } else {
                return nil
            }
        }
        return bytes
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...8, 0xB, 0xE...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }

    private static let ligatures: [Unicode.Scalar: String] = [
        "Ĳ": "IJ", "ĳ": "ij", "ŉ": "ʼn", "Ǳ": "DZ", "ǲ": "Dz", "ǳ": "dz", "Ǆ": "DŽ", "ǅ": "Dž", "ǆ": "dž", "Ǉ": "LJ",
        "ǈ": "Lj", "ǉ": "lj",
        "Ǌ": "NJ", "ǋ": "Nj", "ǌ": "nj", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ſt", "ﬆ": "st",
    ]

    private static func replacement(for scalar: Unicode.Scalar) -> String {
        if let letters = ligatures[scalar] { return letters }
        switch scalar.value {
        case 0x80...0x9F:
            let meant = windows1252[Int(scalar.value) - 0x80]
            return String(meant == 0 ? scalar : Unicode.Scalar(meant)!)
        case 0x2BC, 0x2018...0x201B: return "'"
        case 0x201C...0x201F: return "\""
        case 0x3000: return " "
        case 0xFF01...0xFFEF: return String(scalar).precomposedStringWithCompatibilityMapping
        default: return String(scalar)
        }
    }
}
