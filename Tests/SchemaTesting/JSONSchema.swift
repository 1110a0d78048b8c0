import Foundation
import Jobs

/// A validator of the part of JSON Schema 2020-12 that Atelier's documents use. A keyword it does not know is an error:
/// nothing is taken for checked that was not.
package struct JSONSchema {
    /// The document is not one this validator can hold anything against.
    package struct Unusable: Error, CustomStringConvertible { package let description: String }

    private let folder: String
    private let document: JSONValue
    private static let annotations: Set<String> = [
        "$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "contentEncoding",
        "contentMediaType",
    ]

    /// Reads the document at `path`; documents it refers to lie beside it.
    package init(path: String) throws {
        folder = (path as NSString).deletingLastPathComponent
        document = try JSONValue(json: try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Reads a document that refers to no other.
    package init(_ document: JSONValue) { (folder, self.document) = ("", document) }

    /// What is wrong with `value`, each with its JSON pointer; nothing where it fits.
    package func problems(in value: JSONValue) throws -> [String] { try problems(in: value, document, at: "") }

    /// The same for a part of the document, named by a JSON pointer like `#/$defs/x`.
    package func problems(in value: JSONValue, part pointer: String) throws -> [String] {
        try problems(in: value, try part(pointer), at: "")
    }

    /// The part of the document a JSON pointer names.
    package func part(_ pointer: String) throws -> JSONValue {
        var place = document
        for name in pointer.drop(while: { $0 == "#" }).split(separator: "/") {
            let name =
                name.removingPercentEncoding.map { $0.replacing("~1", with: "/").replacing("~0", with: "~") }
                ?? String(name)
            guard let next = place[name] ?? Int(name).flatMap({ place.array?[$0] }) else {
                throw Unusable(description: "there is no \(pointer)")
            }
            place = next
        }
        return place
    }

    private func problems(in value: JSONValue, _ schema: JSONValue, at pointer: String) throws -> [String] {
        if case .bool(let isAllowed) = schema { return isAllowed ? [] : ["\(pointer): nothing is allowed here"] }
        guard case .object(let members) = schema else { throw Unusable(description: "\(schema.brief) is no schema") }
        return try members.sorted { $0.key < $1.key }.flatMap { keyword, rule in
            Self.annotations.contains(keyword) ? [] : try problems(in: value, keyword, rule, members, at: pointer)
        }
    }

    private func problems(
        in value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: [String: JSONValue], at pointer: String
    ) throws -> [String] {
        func no(_ isWrong: Bool) -> [String] {
            isWrong ? ["\(pointer): \(value.brief) against \(keyword) \(rule.brief)"] : []
        }
        func fits(_ schema: JSONValue) throws -> Bool { try problems(in: value, schema, at: pointer).isEmpty }
        switch keyword {
        case "$ref": return try problems(in: value, following: rule.string ?? "", at: pointer)
        case "type": return no(!(rule.array ?? [rule]).contains { Self.isOf(type: $0.string ?? "", value) })
        case "const": return no(value != rule)
        case "enum": return no(!(rule.array ?? []).contains(value))
        case "minimum": return no(value.double.map { $0 < rule.double! } ?? false)
        case "maximum": return no(value.double.map { $0 > rule.double! } ?? false)
        case "minLength": return no(value.string.map { $0.unicodeScalars.count < rule.integer! } ?? false)
        case "maxLength": return no(value.string.map { $0.unicodeScalars.count > rule.integer! } ?? false)
        case "pattern":
            return no(try value.string.map { try $0.firstMatch(of: Regex(rule.string ?? "")) == nil } ?? false)
        case "format": return no(try value.string.map { try !Self.hasFormat(rule.string ?? "", $0) } ?? false)
        case "minItems": return no(value.array.map { $0.count < rule.integer! } ?? false)
        case "maxItems": return no(value.array.map { $0.count > rule.integer! } ?? false)
        case "items":
            return try (value.array ?? []).enumerated().flatMap { try problems(in: $1, rule, at: "\(pointer)/\($0)") }
        case "required":
            guard case .object(let members) = value else { return [] }
            return (rule.array ?? []).compactMap(\.string).filter { members[$0] == nil }.map {
                "\(pointer)/\($0): is missing"
            }
        case "properties":
            guard case .object(let members) = value, case .object(let rules) = rule else { return [] }
            return try members.sorted { $0.key < $1.key }.flatMap { name, member in
                try rules[name].map { try problems(in: member, $0, at: "\(pointer)/\(name)") } ?? []
            }
        case "additionalProperties":
            guard case .object(let members) = value else { return [] }
            var known: Set<String> = []
            if case .object(let rules) = schema["properties"] { known = Set(rules.keys) }
            return try members.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.flatMap {
                try problems(in: $1, rule, at: "\(pointer)/\($0)")
            }
        case "allOf": return try (rule.array ?? []).flatMap { try problems(in: value, $0, at: pointer) }
        case "anyOf": return no(try !(rule.array ?? []).contains(where: fits))
        case "oneOf": return no(try (rule.array ?? []).filter(fits).count != 1)
        case "if":
            return try schema[try fits(rule) ? "then" : "else"].map { try problems(in: value, $0, at: pointer) } ?? []
        case "then", "else": return []
        default: throw Unusable(description: "the validator does not know the keyword \(keyword)")
        }
    }

    private func problems(in value: JSONValue, following reference: String, at pointer: String) throws -> [String] {
        guard let hash = reference.firstIndex(of: "#"), hash != reference.startIndex else {
            if reference.hasPrefix("#") { return try problems(in: value, try part(reference), at: pointer) }
            return try JSONSchema(path: folder + "/" + reference).problems(in: value)
        }
        let other = try JSONSchema(path: folder + "/" + reference[..<hash])
        return try other.problems(in: value, try other.part(String(reference[hash...])), at: pointer)
    }

    private static func isOf(type: String, _ value: JSONValue) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array), ("object", .object),
            ("integer", .integer), ("number", .integer), ("number", .number):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }

    private static func hasFormat(_ format: String, _ text: String) throws -> Bool {
        switch format {
        case "uuid": return UUID(uuidString: text) != nil
        case "date-time": return text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/) != nil
        default: throw Unusable(description: "the validator does not know the format \(format)")
        }
    }
}
