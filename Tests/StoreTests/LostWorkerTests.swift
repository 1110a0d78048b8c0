import Foundation
import Jobs
import Store
import Testing

/// Workers, servers and clocks that cannot be trusted any more.
@Suite(.timeLimit(.minutes(10))) struct LostWorkerTests {
    @Test func aWorkerThatWasGivenUpClaimsNothing() async throws {
        try await Stage.with { stage in
            let lost = try await stage.worker("folder")
            let job = try await stage.submit().job
            let successor = try await stage.worker("folder")
            #expect(try await stage.store.claim(lost, 1).isEmpty, "nobody would miss the job")
            #expect(try await stage.claimOne(successor).job == job)
        }
    }

    @Test func anAttemptThatEndedIsNotWrittenTo() async throws {
        try await Stage.with { stage in
            _ = try await stage.submit()
            let claim = try await stage.claimOne(stage.worker("folder"))
            _ = try await stage.worker("folder")
            try await stage.store.resumed(claim.job, claim.attempt, from: 7)
            let rows = try await stage.store.query("select outcome, resumed_from_step from atelier.attempts")
            #expect(rows.count == 1 && rows[0]["outcome"] == "lost" && rows[0]["resumed_from_step"] == nil)
        }
    }

    @Test func aClockThatWasSetBackKeepsNobodyAliveAndNothingWaiting() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let job = try await stage.submit().job
            let claim = try await stage.claimOne(worker)
            _ = try await stage.store.finish(claim.job, claim.attempt, AttemptResult(outcome: .crashed))
            #expect(try await stage.store.state(of: job) == .retryable)
            try await stage.store.script(
                """
                update atelier.workers set beat_at = now() + interval '1 day'; update atelier.jobs set run_after =
                    now() + interval '1 day';
                update atelier.outbox set next_try = now() + interval '1 day'
                """)
            // A server that has only just started gives every worker a lease's time to beat.
            let lease = 1
            while try await stage.store.query("select 1 where now() > pg_postmaster_start_time() + interval '1 second'")
                .isEmpty
            {}
            _ = try await stage.store.rescueExpired(lease: lease)
            #expect(try await stage.store.query("select 1 from atelier.workers where beat_at > now()").isEmpty)
            #expect(try await stage.store.outbox(.fresh, limit: 9).count > 0)
            #expect(try await stage.claimOne(worker).job == job)
        }
    }

    @Test func aClockThatWasSetBackCostsNobodyItsPlace() async throws {
        try await Stage.with { stage in
            for id in ["older", "newer", "asked for"] { try await stage.submit(id) }
            try await stage.store.script(
                """
                update atelier.jobs set run_after = now() + interval '1 day' where message_id <> 'newer';
                update atelier.jobs set state = 'scheduled' where message_id = 'asked for';
                insert into atelier.tenants (tenant, claimed_at) values ('t', now() + interval '1 day');
                """)
            while try await stage.store.query("select 1 where now() > pg_postmaster_start_time() + interval '1 second'")
                .isEmpty
            {}
            _ = try await stage.store.rescueExpired(lease: 1)
            let ahead = try await stage.store.query("select message_id from atelier.jobs where run_after > now()")
            #expect(ahead.map { $0["message_id"] } == ["asked for"])
            #expect(try await stage.store.query("select 1 from atelier.tenants where claimed_at > now()").isEmpty)
            #expect(
                await stage.refusal("set role atelier_daemon; select atelier.rescue_expired(1); reset role") == nil)
        }
    }

    @Test func aServerThatTakesEveryByteAndSaysNothingIsGivenUp() async throws {
        try await Stage.with { stage in
            let store = Store(url: stage.url, application: "test", patience: .seconds(1))
            let process = try #require(
                try await store.query("select pg_backend_pid() as process").first?["process"].flatMap { pid_t($0) })
            try #require(kill(process, SIGSTOP) == 0)
            defer { kill(process, SIGCONT) }
            await #expect(throws: StoreError.unavailable("no answer within 1.0 seconds")) {
                try await store.query("select 1")
            }
            #expect(try await store.query("select 1").count == 1, "on a connection of its own")
        }
    }

    /// Its own limits are by a clock that may be set back: then whoever gave it up has to end it.
    @Test func aStatementThatWasGivenUpDoesNotGoOn() async throws {
        try await Stage.with { stage in
            let store = Store(url: stage.url, application: "given-up", patience: .seconds(1))
            try await store.script("set statement_timeout = 0")
            await #expect(throws: StoreError.unavailable("no answer within 1.0 seconds")) {
                try await store.query("select pg_sleep(36000)")
            }
            while try await !stage.store.query(
                "select from pg_stat_activity where application_name = 'given-up' and state = 'active'"
            ).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    /// Two that lock several jobs each in an order of its own would wait for each other.
    @Test func whoLocksSeveralJobsDoesSoInOneOrder() async throws {
        try await Stage.with { stage in
            for _ in 0..<8 { try await stage.submit(tenant: "bob") }
            for worker in [try await stage.worker(), try await stage.worker()] {
                #expect(try await stage.store.claim(worker, 4).count == 4)
            }
            while try await stage.store.query("select 1 where now() > pg_postmaster_start_time() + interval '1 second'")
                .isEmpty
            {}
            try await stage.store.script("update atelier.workers set beat_at = now() - interval '1 hour'")
            let erasure = try await stage.store.beginErasure(of: "bob")
            let holding = Store(url: stage.url, application: "holding")
            let repeated = try await stage.store.query("select message_id from atelier.jobs order by id desc").map {
                Submission(
                    tenant: "bob", messageID: $0["message_id"] ?? "", kind: .generate, spec: ["prompts": ["x"]])
            }
            let acts: [(String, @Sendable (Store) async throws -> Int)] = [
                ("accepting", { @Sendable in try await $0.accept(repeated).count }),
                ("rescuing", { @Sendable in try await $0.rescueExpired(lease: 1) }),
                ("erasing", { @Sendable in try await $0.erase(erasure) }),
            ]
            for (name, act) in acts {
                try await holding.query("begin")
                try await holding.query("select from atelier.jobs order by id limit 1 for update")
                let store = Store(url: stage.url, application: name)
                try await store.query("set lock_timeout = 0")
                let waiting = Task { try await act(store) }
                while try await stage.store.query(
                    "select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'", [name]
                ).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                let free = try await stage.store.query("select id from atelier.jobs for update skip locked")
                #expect(free.count == 7, "\(name) holds nothing beyond what it waits for")
                try await holding.query("rollback")
                _ = try await waiting.value
            }
        }
    }

    /// A daemon that PostgreSQL was away from would else undo what everybody else has heard of.
    @Test func anOrderThatWaitedIsNotWrittenOverALaterOne() async throws {
        try await Stage.with { stage in
            let known = try await stage.store.order(paused: false)
            try await stage.store.script("update atelier.cluster set changed_at = now() - interval '1 minute'")
            let unheard = try await stage.store.order(paused: true, saidBefore: 50, knowing: .none)
            #expect(unheard.isWritten && unheard.order.isPaused, "it was given later, whatever was heard")
            #expect(unheard.order.number == known.number + 1)
            let later = try await stage.store.order(paused: false)
            let held = try await stage.store.order(paused: true, saidBefore: 50, knowing: known)
            #expect(!held.isWritten && held.order == later)
            let next = try await stage.store.order(paused: true, saidBefore: 50, knowing: later)
            #expect(next.isWritten && next.order.isPaused, "what came before it was known")
            #expect(next.order.number == later.number + 1)
        }
    }

    /// Each would wait for what the other holds, and one of them be ended by PostgreSQL.
    @Test func whoGivesAWorkerUpAndItsAttemptThatWritesDoNotWaitForEachOther() async throws {
        try await Stage.with { stage in
            _ = try await stage.submit()
            let claim = try await stage.claimOne(stage.worker())
            while try await stage.store.query("select 1 where now() > pg_postmaster_start_time() + interval '1 second'")
                .isEmpty
            {}
            try await stage.store.script("update atelier.workers set beat_at = now() - interval '1 hour'")
            let (writing, rescuing) = (
                Store(url: stage.url, application: "writing"), Store(url: stage.url, application: "rescuing")
            )
            let attempt = [claim.job.uuidString, String(claim.attempt)]
            try await writing.query("begin")
            try await writing.query("select * from atelier.lock_attempt($1::uuid, $2::int)", attempt)
            let rescue = Task { try await rescuing.rescueExpired(lease: 1) }
            while try await stage.store.query(
                "select from pg_stat_activity where application_name = 'rescuing' and wait_event_type = 'Lock'"
            ).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            let written = try await writing.query(
                """
                select owned from atelier.record(
                    $1::uuid, $2::int, '{"engine": "e"}', '{"stage": "train", "step": 1, "steps": 2}', null, null)
                """, attempt)
            #expect(written.first?["owned"] == "t")
            try await writing.query("commit")
            #expect(try await rescue.value == 1)
        }
    }
}
