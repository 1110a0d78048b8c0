import Foundation

/// A file as base64 (RFC 4648, section 4), and what is wrong with what is none: in words, never in its digits.
enum Base64Text {
    struct Fault: Error {
        let found: String
        let allowed: String
    }

    /// Decodes it strictly.
    static func decoded(_ text: String) throws(Fault) -> Data {
        if text.prefix(5).lowercased() == "data:" {
            throw Fault(found: "a data: URL", allowed: "base64 alone, what follows the URL's comma")
        }
        if text.isEmpty { throw Fault(found: "an empty text", allowed: "a picture in base64") }
        // Its digits are base64's too.
        if isHexadecimal(text) {
            throw Fault(found: "a picture in hexadecimal digits", allowed: "a picture in base64")
        }
        if let data = Data(base64Encoded: text) { return data }
        throw reference(text) ?? fault(in: text)
    }

    /// Whether it begins as a PNG, a JPEG or a WebP does, two digits for each byte.
    private static func isHexadecimal(_ text: String) -> Bool {
        let start = text.prefix(16).lowercased()
        return ["89504e470d0a1a0a", "ffd8ff", "52494646"].contains { start.hasPrefix($0) }
    }

    /// What stands for a picture where the picture itself is needed: its address, its file's name, or what Python
    /// shows of bytes.
    private static func reference(_ text: String) -> Fault? {
        if let scheme = text.prefix(40).prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\//) {
            return Fault(
                found: "an address that begins \(scheme.output)",
                allowed: "the picture itself in base64: addresses are not fetched")
        }
        if text.hasPrefix("b'") {
            return Fault(
                found: "base64 as Python shows bytes, b'…'",
                allowed: "base64 alone: base64.b64encode(data).decode()")
        }
        guard text.utf8.count <= 1024, text.suffix(8).contains(/\.[A-Za-z][A-Za-z0-9]{1,4}$/) else { return nil }
        return Fault(found: "a file's name", allowed: "what is in the file, in base64")
    }

    private static func fault(in text: String) -> Fault {
        let count = text.utf8.count
        let end = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let digits = text.utf8.dropLast(end).enumerated()
        // What fills it up is strange only where nothing else is: a break behind it is a break.
        let strange =
            digits.first { !isDigit($0.element) && $0.element != UInt8(ascii: "=") }
            ?? digits.first { !isDigit($0.element) }
        if let strange {
            let isBreak = [0x09, 0x0A, 0x0D, 0x20].contains(strange.element)
            let isURL = [UInt8(ascii: "-"), UInt8(ascii: "_")].contains(strange.element)
            let sign =
                (0x21...0x7E).contains(strange.element)
                ? "'\(Character(Unicode.Scalar(strange.element)))'" : "a byte 0x" + String(strange.element, radix: 16)
            return Fault(
                found: isBreak
                    ? "base64 in lines, with a break after \(counted(strange.offset, "character"))"
                    : "base64 with \(sign) after \(counted(strange.offset, "character"))",
                allowed: isBreak
                    ? "one line: base64 -w0 FILE"
                    : isURL ? "base64's digits: + and /, not the - and _ of URLs" : "base64's digits")
        }
        return Fault(
            found: "base64 that is not whole: \(counted(count, "character")), \(end) of them =",
            allowed: "a multiple of 4, filled up with =")
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
