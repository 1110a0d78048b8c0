import DaemonTesting
import Foundation
import Jobs
import Store
import Testing

@testable import Daemon

/// Folders and logs that no job needs go; the others stay.
@Suite(.timeLimit(.minutes(10))) struct WorkspaceSweeperTests {
    @Test func whatNoJobNeedsGoes() async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            var jobs: [String: UUID] = [:]
            for state in ["completed", "cancelled", "discarded", "retryable"] {
                let isFinal = state != "retryable"
                let row = try await stage.store.query(
                    """
                    insert into atelier.jobs
                        (tenant, message_id, kind, spec, state, finalized_at, result, error_code, attempt)
                    values ('t', $1::text, 'generate', '{}', $1::text::atelier.job_state, case when $2::bool then
                        now() end, '{}', 'x', 1) returning id
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

    @Test func whoEndsRemovesNothingOfWhoComesAfter() async throws {
        let folder = try TemporaryFolder()
        var environment = SettingsTests.complete
        environment["ATELIER_STATE_DIRECTORY"] = folder.path
        let settings = try Settings.read(file: nil, environment: environment)
        let job = UUID()
        let attempts = try (1...3).map {
            let workspace = AttemptWorkspace(settings: settings, job: job, attempt: $0)
            try workspace.create()
            return workspace
        }
        func left() -> Set<String> {
            Set((try? FileManager.default.contentsOfDirectory(atPath: attempts[0].jobFolder)) ?? [])
        }
        // The second outlived its lease, and has written a checkpoint: the third is its successor.
        attempts[1].remove([], isLaterThanOthers: true)
        #expect(left() == ["2", "3"])
        // Somebody cancelled the second, and tried the job again while it cleared up.
        attempts[1].removeJob()
        #expect(left() == ["3"])
        attempts[2].removeJob()
        #expect(!FileManager.default.fileExists(atPath: attempts[0].jobFolder))
    }

    @Test func aSweepLeavesWhatWasTriedAgain() async throws {
        try await Stage.with(settings: [:]) { stage in
            let row = try await stage.store.query(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, attempt)
                values ('t', 'm', 'generate', '{}', 'cancelled', now(), 1) returning id
                """
            ).first
            let job = try #require(row?["id"].flatMap(UUID.init(uuidString:)))
            var environment = SettingsTests.complete
            environment["ATELIER_STATE_DIRECTORY"] = stage.folder.path
            let settings = try Settings.read(file: nil, environment: environment)
            let attempts = try (1...2).map {
                let workspace = AttemptWorkspace(settings: settings, job: job, attempt: $0)
                try workspace.create()
                return workspace
            }
            // As if the second had begun after the sweep asked the tables.
            _ = try await WorkspaceSweeper(settings: settings).remove(by: stage.store)
            #expect(try FileManager.default.contentsOfDirectory(atPath: attempts[0].jobFolder) == ["2"])
        }
    }
}
