import DaemonTesting
import Store
import Testing

@testable import Web

/// What pages show of everything, counted now and then.
@Suite(.timeLimit(.minutes(15))) struct OverviewTests {
    /// A query that is under way while somebody pauses the daemons has seen them working.
    @Test func whatWasCountedBeforeAnOrderIsNotShownAfterIt() async throws {
        try await Stage.with(settings: [:]) { stage in
            // Held between what it sees and its answer.
            try await stage.store.script(
                """
                create or replace view dashboard.cluster as
                    select paused, changed_at
                    from atelier.cluster, pg_advisory_xact_lock_shared(7);
                select pg_advisory_lock(7);
                """)
            let overview = Overview(reader: Reader(url: stage.readerURL), lease: 30, heartbeat: 10)
            async let before = overview.cluster()
            try await stage.until("it is counted") {
                try await !stage.store.query(
                    """
                    select from pg_locks l
                        join pg_database d on d.oid = l.database
                    where d.datname = current_database() and l.locktype = 'advisory' and not l.granted
                    """
                ).isEmpty
            }
            _ = try await stage.store.order(paused: true)
            await overview.forgetOrders()
            try await stage.store.query("select pg_advisory_unlock(7)")
            _ = try? await before
            #expect(try await overview.cluster()["paused"] == true)
        }
    }
}
