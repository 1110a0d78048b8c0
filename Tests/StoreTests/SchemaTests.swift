import Foundation
import Jobs
import Store
import Testing

/// What the schema itself refuses and grants.
@Suite(.timeLimit(.minutes(10))) struct SchemaTests {
    @Test func illegalStatesAreRefused() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            for change in [
                "state = 'running'", "state = 'completed', finalized_at = now()",
                "state = 'discarded', finalized_at = now()", "finalized_at = now()",
                "state = 'cancelled'", "priority = 10", "attempt = -1", "tenant = ''", "kind = 'paint'",
                "message_id = repeat('x', 129)", "max_attempts = 0",
            ] {
                #expect(await stage.refusal("update atelier.jobs set \(change)") == "23514", "\(change)")
            }
        }
    }

    @Test func rolesDoWhatTheyShouldAndNoMore() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit().job
            let denied = "42501"
            for (role, sql, expected) in [
                ("atelier_reader", "select * from dashboard.jobs", nil),
                ("atelier_reader", "select * from atelier.jobs", denied),
                ("atelier_reader", "select atelier.cancel('\(job)', 'x')", denied),
                ("atelier_admin", "update atelier.jobs set priority = 1", denied),
                ("atelier_admin", "select * from atelier.claim('\(UUID())', 1)", denied),
                ("atelier_admin", "select atelier.cancel('\(job)', 'x')", nil),
                ("atelier_admin", "select atelier.retry('\(job)')", nil),
                ("atelier_admin", "select atelier.rebind('\(job)')", nil),
                ("atelier_reader", "select atelier.rebind('\(job)')", denied),
                ("atelier_daemon", "select atelier.rebind('\(job)')", denied),
                ("atelier_daemon", "delete from atelier.jobs", denied),
                ("atelier_daemon", "drop table atelier.jobs", denied),
                ("atelier_daemon", "create table atelier.x ()", denied),
                ("atelier_daemon", "select * from atelier.schema_migrations", nil),
                ("atelier_daemon", "delete from atelier.schema_migrations", denied),
                ("atelier_daemon", "insert into atelier.schema_migrations values ('9.sql', '')", denied),
                ("atelier_daemon", "update atelier.schema_migrations set checksum = ''", denied),
                (
                    "atelier_daemon",
                    """
                    select atelier.register('\(job)', 'w', 'h', 'd', 1, 1); select * from atelier.claim('\(job)', 1); \
                    select * from atelier.finish('\(job)', 1, 'completed', 'transient', null, null, null, '{}', '[]', \
                    '', 1, 1)
                    """,
                    nil
                ),
            ] as [(String, String, String?)] {
                #expect(await stage.refusal("set role \(role); \(sql); reset role") == expected, "\(role): \(sql)")
            }
            #expect(try await stage.store.state(of: job) == .completed)
        }
    }

    @Test func everyViewAnswers() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            _ = try await stage.claimOne(try await stage.worker())
            let views = try await stage.store.query(
                "select table_name from information_schema.views where table_schema = 'dashboard'"
            ).compactMap { $0["table_name"] }
            #expect(
                Set(views).isSuperset(of: [
                    "queue", "jobs", "running", "failures", "throughput", "latency", "concepts", "quality", "workers",
                    "outbox", "storage", "warnings", "without_worker",
                ]))
            for view in views { _ = try await stage.store.objects("select * from dashboard.\(view)") }
            #expect(try await stage.store.objects("select * from dashboard.running").count == 1)
        }
    }
}
