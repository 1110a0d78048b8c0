import Daemon
import Foundation

/// A folder for an engine that a command starts: the daemon's own is not for us to write in.
enum EngineScratch {
    /// Gives `body` the settings with the folder in the state directory's place, and removes it after.
    static func with<Result>(
        _ settings: Settings, _ body: (Settings) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)")
        var settings = settings
        settings.stateDirectory = folder.path
        defer { try? FileManager.default.removeItem(at: folder) }
        for path in [settings.inspectionDirectory, settings.logsDirectory] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        return try await body(settings)
    }
}
