/// One thing that is wrong with a message: where (JSON pointer, RFC 6901), what was found, what is allowed.
package struct Problem: Sendable, Equatable, Codable, CustomStringConvertible {
    /// The JSON pointer into the body, or `property:name` for an AMQP property.
    package let pointer: String
    /// What was found there.
    package let found: String
    /// What is allowed there.
    package let allowed: String

    /// Describes one problem.
    package init(_ pointer: String, found: String, allowed: String) {
        self.pointer = pointer
        self.found = found
        self.allowed = allowed
    }

    /// A member's name as a part of a JSON pointer.
    package static func escaped(_ name: String) -> String { name.replacing("~", with: "~0").replacing("/", with: "~1") }

    /// That of a negative prompt where the network is told how strongly the prompt is followed, and is not led away
    /// from another one.
    package static func toldGuidance(of model: String) -> Problem {
        Problem(
            "/options/negative_prompt", found: "a text",
            allowed: "nothing: \(model) is told its guidance, and draws no picture to lead away from")
    }

    /// All three in one line, for logs and terminals.
    package var description: String { "\(pointer.isEmpty ? "/" : pointer): found \(found); allowed: \(allowed)" }
}

/// Everything that is wrong with a message.
package struct Problems: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one.
    package let list: [Problem]

    /// Collects problems.
    package init(_ list: [Problem]) { self.list = list }

    /// A line a problem.
    package var description: String { list.map(\.description).joined(separator: "\n") }
}
