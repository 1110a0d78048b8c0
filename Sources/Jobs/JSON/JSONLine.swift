import Foundation

/// What is said in one line of JSON, between the daemon and its engine or between programs.
package protocol JSONLine: Codable {}

extension JSONLine {
    /// The line, without its end; the same value gives the same bytes.
    package var line: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)) ?? Data()
    }

    /// Reads the line.
    /// - Throws: `DecodingError`.
    package init(line: Data) throws { self = try JSONDecoder().decode(Self.self, from: line) }
}
