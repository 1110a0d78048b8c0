import Foundation

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

    /// Runs `program` without blocking the caller's thread; its output goes through files, so that nothing can fill a pipe.
    package init(_ program: String, _ arguments: [String], environment: [String: String], input: String = "") async throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let files = try (out: folder.write("out", ""), err: folder.write("err", ""), in: folder.write("in", input))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: files.in))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files.out))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files.err))
        status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        output = try String(contentsOfFile: files.out, encoding: .utf8)
        errors = try String(contentsOfFile: files.err, encoding: .utf8)
    }
}
