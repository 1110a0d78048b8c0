/// A value in a table of headers or arguments.
package indirect enum FieldValue: Sendable, Equatable {
    /// A truth value.
    case bool(Bool)
    /// A signed integer of any width; written as 32 bits where it fits, 64 otherwise.
    case integer(Int64)
    /// An unsigned 64-bit integer that no `Int64` holds.
    case unsigned(UInt64)
    /// A floating-point number of either width; written as 64 bits.
    case double(Double)
    /// `value` / 10^`decimals`.
    case decimal(value: UInt32, decimals: UInt8)
    /// Text. Invalid UTF-8 is repaired on reading.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    /// A list.
    case array([FieldValue])
    /// A nested table.
    case table([String: FieldValue])
    /// Nothing.
    case void
    /// What a stranger sent and no one here understands: an unknown kind, or nesting deeper than ``maximumDepth``.
    case unreadable(String)

    /// Tables nested deeper than this are not followed.
    package static let maximumDepth = 32

    /// The text, if it is one.
    package var string: String? { if case .string(let value) = self { value } else { nil } }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// Text.
    package init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    package init(integerLiteral value: Int64) { self = .integer(value) }
    /// A truth value.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
