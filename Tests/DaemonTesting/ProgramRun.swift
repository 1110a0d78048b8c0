import Foundation
import ServerTesting

/// A program that ran to its end: what it wrote and what it ended with.
package struct ProgramRun: Sendable {
    /// Its exit status.
    package let status: Int32
    /// What it wrote to stdout.
    package let output: String
    /// What it wrote to stderr.
    package let errors: String

    /// The lines of stdout.
    package var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Runs `program` without blocking the caller's thread, for so many seconds at most; its output goes through files,
    /// so that nothing can fill a pipe.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String], input: String = "",
        in directory: String? = nil, within seconds: Int = 600
    ) async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let files = try (out: folder.write("out", ""), err: folder.write("err", ""), in: folder.write("in", input))
        let child = try ChildProgram(
            program, arguments, environment: environment, input: files.in, output: files.out, errors: files.err,
            directory: directory)
        status = try await child.ended(within: seconds)
        output = try String(contentsOfFile: files.out, encoding: .utf8)
        errors = try String(contentsOfFile: files.err, encoding: .utf8)
    }
}
