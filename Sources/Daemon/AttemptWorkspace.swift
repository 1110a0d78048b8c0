import Foundation

/// The folders of one job's attempts: `work/<job>/<attempt>`, the reference pictures in `inputs`, checkpoints beside them.
///
/// A job's folder outlives its attempts, for the next one resumes from a checkpoint of the last; it goes when the job is final.
package struct AttemptWorkspace: Sendable {
    /// The folder of the job.
    package let jobFolder: String
    /// The folder of this attempt, which only its engine writes to.
    package let folder: String
    /// The file its engine's stderr goes to.
    package let log: String

    /// Names the folders; ids are UUIDs and numbers, so nothing of a stranger is in a path.
    package init(settings: Settings, job: UUID, attempt: Int) {
        let name = job.uuidString.lowercased()
        jobFolder = "\(settings.workspacesDirectory)/\(name)"
        folder = "\(jobFolder)/\(attempt)"
        log = "\(settings.logsDirectory)/\(name).\(attempt).log"
    }

    /// Makes the folder, empty.
    package func create() throws {
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder + "/inputs", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            atPath: (log as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    }

    /// Writes one decoded reference picture and gives its path.
    package func write(_ picture: Data, number: Int) throws -> String {
        let path = "\(folder)/inputs/\(number).png"
        try picture.write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Removes everything of the job: it is final.
    package func removeJob() { try? FileManager.default.removeItem(atPath: jobFolder) }
}
