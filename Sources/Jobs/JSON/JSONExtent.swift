import Foundation

/// How much there is in a JSON text, counted in one pass over its bytes before any of it is parsed: a parsed list of
/// empty lists takes a hundred times the memory of its text.
enum JSONExtent {
    /// The most values a stranger's JSON may hold, an empty container counted as two: pictures are few and long, and
    /// everything else of a job is small.
    static let mostValues = 10_000
    /// How deeply they may be nested.
    static let deepest = 32

    /// Whether it is within both; the count ends where it is not.
    static func isBounded(_ json: Data) -> Bool {
        json.withUnsafeBytes { bytes in
            var values = 1
            var depth = 0
            var place = 0
            while place < bytes.count {
                switch bytes[place] {
                case UInt8(ascii: "\""): place = endOfString(at: place, in: bytes)
                case UInt8(ascii: "["), UInt8(ascii: "{"): (values, depth) = (values + 1, depth + 1)
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                case UInt8(ascii: ","): values += 1
                default: break
                }
                if values > mostValues || depth > deepest { return false }
                place += 1
            }
            return true
        }
    }

    /// Where the quote is that ends a string; the end of the text where none does.
    private static func endOfString(at start: Int, in json: UnsafeRawBufferPointer) -> Int {
        var place = start + 1
        while place < json.count, json[place] != UInt8(ascii: "\"") {
            place += json[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return place
    }
}
