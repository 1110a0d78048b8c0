import Foundation
import Testing

/// How a script of `ops` calls the laboratory, in whose place `echo` stands: a line of arguments for each call.
struct ScriptCalls {
    let lines: [String]

    init(_ script: String, _ arguments: [String]) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: PackageDescription.root + "/" + script)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["ATELIER_LAB": "/bin/echo"]) { $1 }
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(script) \(arguments)")
        lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
