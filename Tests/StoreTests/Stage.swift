import Foundation
import Jobs
import ServerTesting
import Store
import Testing

/// A migrated database of one test.
struct Stage {
    let url: String
    let store: Store

    /// Runs `body` with a database of its own, and removes it.
    static func with(migrated: Bool = true, _ body: (Stage) async throws -> Void) async throws {
        let servers = try await Servers.running()
        let url = try await servers.makeDatabase()
        let stage = Stage(url: url, store: Store(url: url, application: "test"))
        do {
            if migrated { _ = try await Migrations(directory: Servers.root + "/sql").apply(to: stage.store) }
            try await body(stage)
        } catch {
            try? await servers.dropDatabase(url)
            throw error
        }
        try await servers.dropDatabase(url)
    }

    /// A worker, registered.
    func worker(_ folder: String = UUID().uuidString) async throws -> UUID {
        let id = UUID()
        _ = try await store.register(id, name: "w", host: "h", stateDirectory: folder, slots: 1)
        return id
    }

    @discardableResult
    func submit(
        _ id: String = UUID().uuidString, tenant: String = "t", priority: Int = 0, replyTo: String? = nil
    ) async throws -> Acceptance {
        try await store.accept([
            Submission(
                tenant: tenant, messageID: id, kind: .generate, spec: .object(["prompts": .array([.string("x")])]),
                priority: priority, replyTo: replyTo)
        ])[0]
    }

    func claimOne(_ worker: UUID) async throws -> ClaimedJob { try #require(try await store.claim(worker, 1).first) }

    /// How many of the jobs' rows were read until now.
    func jobRowsRead() async throws -> Int {
        try await store.script("select pg_stat_force_next_flush()")
        let row = try await store.query(
            """
            select seq_tup_read + idx_tup_fetch as rows from pg_stat_user_tables
            where schemaname = 'atelier' and relname = 'jobs'
            """
        ).first
        return row?["rows"].flatMap { Int($0) } ?? 0
    }

    /// The SQLSTATE of the refusal of a statement, nil where it is not refused.
    func refusal(_ sql: String) async -> String? {
        do { try await store.script(sql) } catch StoreError.refused(let state, _) { return state } catch {
            return "unavailable"
        }
        return nil
    }
}
