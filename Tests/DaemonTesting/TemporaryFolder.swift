import Foundation
import ServerTesting

/// A folder of one test, removed with it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-" + UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Writes a program, for instance a script, and gives its path.
    package func writeProgram(_ name: String, _ text: String) throws -> String {
        try copyProgram(write(name + ".text", text), as: name)
    }

    /// Copies a program and gives the copy's path. A child does it: what another test starts in that moment inherits
    /// this process's descriptors until its own exec, and no program can be started that anybody may still write to
    /// ("Text file busy").
    package func copyProgram(_ source: String, as name: String) throws -> String {
        let copy = path + "/" + name
        let said = try write(UUID().uuidString, "")
        let install = try ChildProgram("install", ["-m", "755", source, copy], output: said, errors: said)
        guard try install.end(within: 60) == 0 else {
            throw Servers.Failure(description: try String(contentsOfFile: said, encoding: .utf8))
        }
        return copy
    }
}
