import DaemonTesting
import Foundation
import Jobs
import Store
import Testing

@testable import Daemon

/// Folders and logs that no job needs go; the others stay.
@Suite(.timeLimit(.minutes(2))) struct WorkspaceSweeperTests {
    @Test func whatNoJobNeedsGoes() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            var jobs: [String: UUID] = [:]
            for state in ["completed", "cancelled", "discarded", "retryable"] {
                let isFinal = state != "retryable"
                let row = try await stage.store.query(
                    """
                    insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result, error_code)
                    values ('t', $1::text, 'generate', '{}', $1::text::atelier.job_state, case when $2::bool then
                        now() end, '{}', 'x') returning id
                    """, [state, String(isFinal)])
                jobs[state] = row.first?["id"].flatMap(UUID.init(uuidString:))
            }
            jobs["unknown"] = UUID()
            var environment = SettingsTests.complete
            environment["ATELIER_STATE_DIRECTORY"] = stage.folder.path
            let settings = try Settings.read(file: nil, environment: environment)
            for id in jobs.values {
                let workspace = AttemptWorkspace(settings: settings, job: id, attempt: 1)
                try workspace.create()
                try Data("last words".utf8).write(to: URL(fileURLWithPath: workspace.log))
            }
            try FileManager.default.createDirectory(
                atPath: settings.workspacesDirectory + "/somebody's", withIntermediateDirectories: true)
            let gone = try await WorkspaceSweeper(settings: settings).remove(by: stage.store)
            #expect(gone == (3, 1))
            let kept = ["discarded", "retryable"].map { jobs[$0]!.uuidString.lowercased() }
            #expect(
                try Set(FileManager.default.contentsOfDirectory(atPath: settings.workspacesDirectory))
                    == Set(kept + ["somebody's"]))
            #expect(try FileManager.default.contentsOfDirectory(atPath: settings.logsDirectory).count == 4)
        }
    }
}
