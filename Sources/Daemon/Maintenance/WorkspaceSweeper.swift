import Foundation
import Store

/// Folders and logs of attempts whose job needs them no more. A supervisor clears up behind a job it ends itself; a job
/// that was cancelled while it waited, ended on another host or was pruned leaves them.
package struct WorkspaceSweeper: Sendable {
    private let workspaces: String
    private let logs: String

    /// Those of a daemon with these settings.
    package init(settings: Settings) { (workspaces, logs) = (settings.workspacesDirectory, settings.logsDirectory) }

    /// Removes folders of jobs that completed, were cancelled or are unknown, and logs of jobs that are unknown. Gives
    /// how many of each.
    ///
    /// What is there is listed before the tables are asked: a job is in them before it has a folder. Of a job that
    /// somebody tries again meanwhile only the attempts go that were over then.
    package func remove(by store: Store) async throws -> (folders: Int, logs: Int) {
        let folders = try await runBlocking { try Self.names(in: workspaces) { UUID(uuidString: $0) } }
        let files = try await runBlocking { try Self.names(in: logs) { UUID(uuidString: String($0.prefix(36))) } }
        let idle = try await store.idle(Array(Set(folders.map(\.job))))
        let unknown = try await store.unknown(Array(Set(files.map(\.job))))
        return try await runBlocking {
            (
                folders.filter { folder in
                    idle[folder.job].map {
                        AttemptWorkspace.removeAttempts(upTo: $0, of: "\(workspaces)/\(folder.name)")
                    } ?? false
                }.count,
                Self.remove(files.filter { unknown.contains($0.job) }, from: logs)
            )
        }
    }

    private static func names(in folder: String, _ job: (String) -> UUID?) throws -> [(name: String, job: UUID)] {
        try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { name in job(name).map { (name, $0) } }
    }

    private static func remove(_ list: [(name: String, job: UUID)], from folder: String) -> Int {
        list.filter { (try? FileManager.default.removeItem(atPath: "\(folder)/\($0.name)")) != nil }.count
    }
}
