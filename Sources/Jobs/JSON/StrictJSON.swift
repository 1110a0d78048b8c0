import Foundation

/// JSON as RFC 8259 has it, in UTF-8, with each name of an object once, and nothing else. What is wrong is said with
/// its place: the byte, its line, and what is there.
package struct StrictJSON {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0
    /// The names and indexes on the way to the value that is read.
    private var path: [String] = []

    /// Reads a text of a bounded depth.
    /// - Throws: `Problems` with one problem.
    package static func value(of text: Data) throws(Problems) -> JSONValue {
        let result = text.withUnsafeBytes { raw -> Result<JSONValue, Problems> in
            var parser = StrictJSON(bytes: raw.bindMemory(to: UInt8.self))
            do throws(Problems) { return .success(try parser.text()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    // MARK: - Values

    private mutating func text() throws(Problems) -> JSONValue {
        if let encoding { throw problem(encoding, "UTF-8 without a byte order mark") }
        let value = try value()
        try skipSpace()
        guard place == bytes.count else { throw unexpected("nothing after the value") }
        return value
    }

    /// What it is where it is not plain UTF-8, by its first bytes.
    private var encoding: String? {
        let start = Array(bytes.prefix(4))
        if start.starts(with: [0xEF, 0xBB, 0xBF]) { return "text in UTF-8 with a byte order mark" }
        if start.starts(with: [0x1F, 0x8B]) { return "what gzip packed" }
        if start.starts(with: [0xFE, 0xFF]) || start.starts(with: [0xFF, 0xFE]) || start.contains(0) {
            return "text in UTF-16 or UTF-32"
        }
        return nil
    }

    private mutating func value() throws(Problems) -> JSONValue {
        try skipSpace()
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func object() throws(Problems) -> JSONValue {
        var members: [String: JSONValue] = [:]
        place += 1
        try skipSpace()
        if take("}") { return .object(members) }
        while true {
            try skipSpace()
            let start = place
            guard byte == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
            let name = try string()
            path.append(name)
            guard members[name] == nil else { throw problem("this name again, \(position(start))", "each name once") }
            try skipSpace()
            guard take(":") else { throw unexpected("a colon") }
            members[name] = try value()
            path.removeLast()
            try skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw unexpected("a comma or }") }
        }
    }

    private mutating func array() throws(Problems) -> JSONValue {
        var elements: [JSONValue] = []
        place += 1
        try skipSpace()
        if take("]") { return .array(elements) }
        while true {
            path.append(String(elements.count))
            elements.append(try value())
            path.removeLast()
            try skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw unexpected("a comma or ]") }
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Problems) -> JSONValue {
        let end = place + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes[place..<end].elementsEqual("\(word)".utf8) else { throw unexpected("a value") }
        place = end
        return value
    }

    private mutating func number() throws(Problems) -> JSONValue {
        let start = place
        _ = take("-")
        if !take("0") { try digits() }
        let isWhole = byte != UInt8(ascii: ".") && byte != UInt8(ascii: "e") && byte != UInt8(ascii: "E")
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw problem("the number \(text.clipped(to: 40)) \(position(start))", "a number that a double can hold")
        }
        // 1.0 and 1e3 are whole numbers too.
        return abs(value) < 0x1p53 ? Int(exactly: value).map(JSONValue.integer) ?? .number(value) : .number(value)
    }

    private mutating func digits() throws(Problems) {
        let start = place
        while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        if place == start { throw unexpected("a digit") }
    }

    // MARK: - Strings

    private mutating func string() throws(Problems) -> String {
        place += 1
        var text = ""
        while true {
            let start = place
            while let byte, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { place += 1 }
            guard let piece = String(validating: bytes[start..<place], as: UTF8.self) else {
                place = start + Self.validPrefix(of: bytes[start..<place])
                throw unexpected("UTF-8")
            }
            text += piece
            if take("\"") { return text }
            guard byte == UInt8(ascii: "\\") else { throw unexpected("the string's end in quotes; \\n for a new line") }
            text.unicodeScalars.append(try escape())
        }
    }

    private mutating func escape() throws(Problems) -> Unicode.Scalar {
        let start = place
        place += 1
        let named: [(Character, Unicode.Scalar)] = [
            ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{C}"), ("n", "\n"), ("r", "\r"),
            ("t", "\t"),
        ]
        for (letter, scalar) in named where take(letter) { return scalar }
        guard take("u") else { throw unexpected("one of \" \\ / b f n r t u after \\") }
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A half of a pair: its other half must follow.
        guard first < 0xDC00, take("\\"), take("u"), case let second = try hexadecimal(),
            (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00))
        else {
            throw problem("half a surrogate pair \(position(start))", "both halves, or the character itself")
        }
        return scalar
    }

    private mutating func hexadecimal() throws(Problems) -> UInt16 {
        let end = place + 4
        guard end <= bytes.count, let value = UInt16(String(decoding: bytes[place..<end], as: UTF8.self), radix: 16),
            bytes[place] != UInt8(ascii: "+"), bytes[place] != UInt8(ascii: "-")
        else { throw unexpected("four hexadecimal digits") }
        place = end
        return value
    }

    /// How many bytes of a text are valid before the first that is not.
    private static func validPrefix(of bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var count = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { count += UTF8.width(scalar) }
        return count
    }

    // MARK: - Bytes

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard byte == character.asciiValue else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() throws(Problems) {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
        if isComment { throw problem("a comment \(position(place))", "none: JSON has no comments") }
    }

    /// Whether one begins here, as other languages have them.
    private var isComment: Bool {
        guard byte == UInt8(ascii: "/") else { return byte == UInt8(ascii: "#") }
        return ["//", "/*"].contains { bytes[place...].starts(with: $0.utf8) }
    }

    // MARK: - Problems

    private func unexpected(_ allowed: String) -> Problems {
        let found =
            switch byte {
            case nil: "the end"
            case .some(0x21...0x7E): "'\(Character(Unicode.Scalar(bytes[place])))'"
            case .some(let byte): character ?? "0x" + String(byte, radix: 16)
            }
        return problem("\(found) \(position(place))", allowed)
    }

    /// The character here with its number, `'“' (U+201C)`, where it is one beyond ASCII: many cannot be seen.
    private var character: String? {
        var decoder = UTF8()
        var iterator = bytes[place...].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), !scalar.isASCII else { return nil }
        return "'\(scalar)' (\(scalar.code))"
    }

    /// Where a byte is, for programs, and for people who look for it in an editor.
    private func position(_ place: Int) -> String {
        let line = bytes[..<place].reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
        return line == 1 ? "at byte \(place)" : "at byte \(place), in line \(line)"
    }

    private func problem(_ found: String, _ allowed: String) -> Problems {
        let pointer = path.map { "/" + Problem.escaped($0) }.joined()
        return Problems([Problem(pointer, found: found, allowed: allowed)])
    }
}
