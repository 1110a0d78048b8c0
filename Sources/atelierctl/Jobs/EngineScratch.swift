import Daemon
import Foundation
import Jobs

/// A folder for an engine that a command starts: the daemon's own is not for us to write in.
enum EngineScratch {
    /// Why it cannot be made, and what to do.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Gives `body` the settings with the folder in the state directory's place, and removes it after.
    /// - Throws: ``Fault``, or what `body` does.
    static func with<Result>(
        _ settings: Settings, _ body: (Settings) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        var settings = settings
        settings.stateDirectory = folder.path
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            for path in [settings.inspectionDirectory, settings.logsDirectory] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
        } catch {
            throw Fault(
                description: """
                    an engine needs a folder, and \(folder.path) cannot be made: \(sentence(of: error)); make room \
                    there, or set TMPDIR to another folder
                    """)
        }
        return try await body(settings)
    }
}

extension Settings {
    /// Why this host's engine cannot be started, and what to do; nil where it can be tried.
    var engineFault: String? {
        guard access(engine, X_OK) != 0 else { return nil }
        return """
            the engine \(engine) cannot be executed: \(String(cString: strerror(errno))); ATELIER_ENGINE, or the \
            setting engine, names its program
            """
    }
}
