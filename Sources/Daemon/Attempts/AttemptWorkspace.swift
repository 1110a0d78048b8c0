import Foundation

/// The folders of one job's attempts: `work/<job>/<attempt>`, the reference pictures in `inputs`, checkpoints beside
/// them.
///
/// A job's folder outlives its attempts, for the next one resumes from a checkpoint of the last; it goes when the job
/// is final.
package struct AttemptWorkspace: Sendable {
    /// The folder of the job.
    package let jobFolder: String
    /// The folder of this attempt, which only its engine writes to.
    package let folder: String
    /// The file its engine's stderr goes to.
    package let log: String
    private let attempt: Int

    /// Names the folders; ids are UUIDs and numbers, so nothing of a stranger is in a path.
    package init(settings: Settings, job: UUID, attempt: Int) {
        let name = job.uuidString.lowercased()
        jobFolder = "\(settings.workspacesDirectory)/\(name)"
        folder = "\(jobFolder)/\(attempt)"
        log = "\(settings.logsDirectory)/\(name).\(attempt).log"
        self.attempt = attempt
    }

    /// Makes the folder, empty.
    package func create() throws {
        try? FileManager.default.removeItem(atPath: folder)
        do {
            try FileManager.default.createDirectory(atPath: folder + "/inputs", withIntermediateDirectories: true)
        } catch {
            // Somebody removed the job's folder, for nothing was in it just then.
            try FileManager.default.createDirectory(atPath: folder + "/inputs", withIntermediateDirectories: true)
        }
        try FileManager.default.createDirectory(
            atPath: (log as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    }

    /// Links a file of the artifact store into the inputs and gives the link's path. `name` is a number or a validated
    /// concept's name.
    package func link(_ path: String, as name: String) throws -> String {
        let link = "\(folder)/inputs/\(name)"
        guard symlink(path, link) == 0 else { throw SystemError("link", link) }
        return link
    }

    /// Whether a file lies in this attempt's folder, wherever links and dots on its way lead.
    package func contains(_ path: String) -> Bool {
        let name = (path as NSString).lastPathComponent
        guard path.hasPrefix(folder + "/"), name != "..", name != ".",
            let parent = realpath((path as NSString).deletingLastPathComponent, nil), let base = realpath(folder, nil)
        else { return false }
        defer {
            free(parent)
            free(base)
        }
        return (String(cString: parent) + "/").hasPrefix(String(cString: base) + "/")
    }

    /// Removes checkpoints nobody needs any more, with what lies beside them under their names; where none of an
    /// earlier attempt is needed either, those attempts' folders.
    package func remove(_ checkpoints: [String], isLaterThanOthers: Bool) {
        checkpoints.filter(contains).forEach(CheckpointFiles.remove)
        guard isLaterThanOthers else { return }
        Self.removeAttempts(upTo: attempt - 1, of: jobFolder)
    }

    /// Removes what this attempt and those before it left: the job is final. Whoever tries it again has a greater
    /// number, and its folder stays.
    package func removeJob() { Self.removeAttempts(upTo: attempt, of: jobFolder) }

    /// Removes the folders of a job's attempts with numbers up to this one, and the job's own where nothing is left in
    /// it; gives whether that went.
    @discardableResult
    static func removeAttempts(upTo last: Int, of jobFolder: String) -> Bool {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: jobFolder)) ?? [] {
            // What is not an attempt's is nobody's.
            guard (Int(name) ?? 0) <= last else { continue }
            try? FileManager.default.removeItem(atPath: "\(jobFolder)/\(name)")
        }
        return rmdir(jobFolder) == 0
    }
}
