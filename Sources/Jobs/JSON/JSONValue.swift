import Foundation

/// Any JSON value, kept as it came: what a job's body is before it is validated, and what is handed on unchanged.
package enum JSONValue: Sendable, Equatable, Codable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Parses JSON; throws with the parser's reason.
    package init(json: Data) throws { self = try JSONDecoder().decode(JSONValue.self, from: json) }

    /// What a value is as JSON.
    package init(_ value: some Encodable) throws { self = try JSONValue(json: JSONEncoder().encode(value)) }

    /// Whole numbers that an Int holds are integers, others numbers.
    /// - Throws: `DecodingError`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// As it came.
    /// - Throws: `EncodingError` for a number that is none.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value as one line of JSON with sorted keys.
    package var line: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)) ?? Data("null".utf8)
    }

    /// The same as text.
    package var text: String { String(decoding: line, as: UTF8.self) }

    /// The member of an object, or nil.
    package subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// The same object with one more member, or without it where the value is nil; what is no object stays as it is.
    package func adding(_ key: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }

    /// The string, if it is one.
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    /// The whole number, if it is one.
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    /// The number, if it is one.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
    /// The elements, if it is an array.
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// What it is, shortened, for an error message.
    package var brief: String { text.clipped(to: 60) }
}
