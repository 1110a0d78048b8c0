extension Store {
    /// jsonb cannot hold NUL, not even escaped: U+FFFD stands for it. A backslash that is itself escaped escapes
    /// nothing.
    static func clean(_ json: String) -> String {
        // A mark that joins with the last digit would hide it.
        json.replacing(/\\(u0000|.)/.matchingSemantics(.unicodeScalar)) { $0.1 == "u0000" ? "\\ufffd" : String($0.0) }
    }
}

extension String {
    /// The text as PostgreSQL can hold it: with U+FFFD where a NUL was.
    var storable: String { replacing("\0", with: "\u{FFFD}") }
}
