import Foundation
import Testing

/// How a script of `ops` calls the laboratory, in whose place `echo` stands: a line of arguments for each call.
struct ScriptCalls {
    let lines: [String]

    /// - Parameters:
    ///   - folder: where the caller stands.
    ///   - echo: as it is named from there.
    init(_ script: String, _ arguments: [String], in folder: String? = nil, echo: String = "/bin/echo") throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: PackageDescription.root + "/" + script)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["ATELIER_LAB": echo]) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script) \(arguments)")
        lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
