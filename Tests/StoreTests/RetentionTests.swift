import Foundation
import Jobs
import Store
import Testing

/// What has ended goes after its time, in small batches, and nothing that is still needed.
@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
    /// Ended jobs, by message id: kind, state, days ago.
    private func fill(_ stage: Stage, _ jobs: [(id: String, kind: String, state: String, days: Int)]) async throws {
        for job in jobs {
            try await stage.store.query(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result, error_code)
                values ('t', $1, $2, '{}', $3::atelier.job_state, now() - $4::int * interval '1 day', '{}', 'x')
                """, [job.id, job.kind, job.state, String(job.days)])
        }
    }

    private func left(_ stage: Stage) async throws -> [String] {
        try await stage.store.query("select message_id from atelier.jobs order by message_id").compactMap {
            $0["message_id"]
        }
    }

    @Test func eachSortGoesAfterItsOwnTime() async throws {
        try await Stage.with { stage in
            try await fill(
                stage,
                [
                    ("completed new", "generate", "completed", 9), ("completed old", "generate", "completed", 11),
                    ("cancelled old", "generate", "cancelled", 11),
                    ("discarded new", "generate", "discarded", 11), ("discarded old", "generate", "discarded", 101),
                    ("probe new", "probe", "completed", 0),
                    ("probe old", "probe", "completed", 2), ("learnt", "personalize", "completed", 99),
                    ("unsent", "generate", "completed", 99),
                ])
            try await stage.submit("waiting")
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select 't', 'rex', 1, 'subject', 'm', repeat('a', 64), id from atelier.jobs where message_id =
                        'learnt'
                """)
            try await stage.store.query(
                """
                insert into atelier.outbox (job, event, exchange, routing_key, body) select id, 'completed', \
                'events', 'k', '{}' from atelier.jobs where message_id = 'unsent'
                """
            )
            try await stage.store.query(
                """
                insert into atelier.outbox (event, exchange, routing_key, body, created_at, confirmed_at) values \
                ('x', '', 'old', '{}', now() - interval '9 days', now() - interval '9 days')
                """
            )
            try await stage.store.query(
                """
                insert into atelier.rejections (tenant, problems, body, at) values ('t', '[1]', '', now() - interval \
                '31 days'), ('t', '[1]', '', now())
                """
            )
            let deleted = try await stage.store.prune(
                Retention(completedJobs: 10, discardedJobs: 100, probes: 1, messages: 3, rejections: 30), limit: 10)
            #expect(
                deleted == [
                    "completed jobs": 1, "cancelled jobs": 1, "discarded jobs": 1, "completed probes": 1,
                    "cancelled probes": 0, "discarded probes": 0,
                    "sent messages": 1, "messages set aside": 0, "rejections": 1,
                ])
            #expect(
                try await left(stage) == ["completed new", "discarded new", "learnt", "probe new", "unsent", "waiting"])
            #expect(try await stage.store.prune(Retention(), limit: 10).isEmpty)
            #expect(try await stage.store.outbox(.fresh, limit: 9).count == 2)
        }
    }

    @Test func noBatchIsLargerThanItMayBe() async throws {
        try await Stage.with { stage in
            try await fill(stage, (0..<7).map { ("\($0)", "generate", "completed", 20 + $0) })
            let retention = Retention(completedJobs: 1)
            #expect(try await stage.store.prune(retention, limit: 3)["completed jobs"] == 3)
            #expect(try await left(stage) == ["0", "1", "2", "3"], "the oldest first")
            #expect(try await stage.store.prune(retention, limit: 9)["completed jobs"] == 4)
        }
    }

    @Test func whatIsKeptForGoodIsLookedAtOnceInATimeOfKeeping() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result)
                    select 't', i, 'personalize', '{}', 'completed', now() - interval '9 days', '{}'
                    from generate_series(1, 3000) i;
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select 't', message_id, 1, 'subject', 'm', repeat('a', 64), id from atelier.jobs;
                """)
            try await stage.store.script("analyze atelier.jobs")
            let retention = Retention(completedJobs: 1)
            #expect(try await stage.store.prune(retention, limit: 500)["completed jobs"] == 0)
            // Rows read, not time, which the machine's other work is in.
            let before = try await stage.jobRowsRead()
            try await fill(stage, [("old", "generate", "completed", 2)])
            #expect(try await stage.store.prune(retention, limit: 500)["completed jobs"] == 1)
            let rows = try await stage.jobRowsRead() - before
            #expect(rows < 50, "\(rows) rows were read for one")
            try await stage.store.script("update atelier.jobs set kept_at = now() - interval '2 days'")
            try await stage.store.script("delete from atelier.concepts where name = '7'")
            #expect(
                try await stage.store.prune(retention, limit: 500)["completed jobs"] == 1, "then it is looked at again")
        }
    }

    @Test func hoursThatAreOverAreCountedOnceAndOutliveTheirJobs() async throws {
        try await Stage.with { stage in
            try await fill(
                stage,
                [
                    ("a", "generate", "completed", 1), ("b", "generate", "completed", 1),
                    ("c", "generate", "discarded", 2), ("now", "generate", "completed", 0),
                ])
            func throughput() async throws -> [JSONValue] {
                try await stage.store.objects("select kind, state, jobs from dashboard.throughput")
            }
            let before = try await throughput()
            #expect(before.count == 3 && before.contains(["kind": "generate", "state": "completed", "jobs": 2]))
            try await stage.store.countHours()
            try await stage.store.countHours()
            _ = try await stage.store.prune(Retention(completedJobs: 0.5, discardedJobs: 0.5), limit: 9)
            #expect(try await left(stage) == ["now"])
            #expect(try await throughput() == before)
        }
    }

    @Test func hoursCountedWhileTheClockWasAheadHideNothing() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.hours (hour, kind, state, jobs)
                    values (date_trunc('hour', now()) + interval '1 day', 'generate', 'completed', 7)
                """)
            try await fill(stage, [("now", "generate", "completed", 0)])
            try await stage.store.countHours()
            let throughput = try await stage.store.objects("select kind, state, jobs from dashboard.throughput")
            #expect(throughput == [["kind": "generate", "state": "completed", "jobs": 1]])
        }
    }

    @Test func aDaemonThatIsGoneIsForgottenAfterItsLastAttempt() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            let worked = try await stage.worker()
            let claimed = try await stage.claimOne(worked)
            _ = try await stage.store.finish(claimed.job, claimed.attempt, AttemptResult(outcome: .cancelled))
            let idle = try await stage.worker()
            let new = try await stage.worker()
            let living = try await stage.worker()
            try await stage.store.script(
                """
                insert into atelier.worker_models (worker, model, digest) values ('\(idle)', 'm', 'd');
                update atelier.workers set gone_at = now() - interval '9 days' where id in ('\(worked)', '\(idle)');
                update atelier.workers set gone_at = now() where id = '\(new)';
                """)
            func left() async throws -> Set<UUID> {
                let rows = try await stage.store.query("select id from atelier.workers")
                return Set(rows.compactMap { $0["id"].flatMap(UUID.init(uuidString:)) })
            }
            #expect(try await !stage.store.pruneWorker(goneFor: 10))
            #expect(try await stage.store.pruneWorker(goneFor: 1))
            #expect(try await left() == [worked, new, living])
            #expect(try await !stage.store.pruneWorker(goneFor: 1), "an attempt names it")
            try await stage.store.script("delete from atelier.jobs")
            #expect(try await stage.store.pruneWorker(goneFor: 1))
            #expect(try await left() == [new, living])
            #expect(
                await stage.refusal("set role atelier_daemon; select atelier.prune_worker(1); reset role") == nil)
        }
    }

    @Test func anArtifactIsNeededByWhoMadeItWhoNeedsItAndByConcepts() async throws {
        try await Stage.with { stage in
            let digests = ["a", "b", "c", "d"].map { String(repeating: $0, count: 64) }
            let spec: JSONValue = .object(["images": .array([.object(["artifact": .string("sha256:" + digests[0])])])])
            let job = try await stage.store.accept([
                Submission(tenant: "t", messageID: "m", kind: .personalize, spec: spec)
            ])[0].job
            try await stage.store.query(
                """
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes) values ($1::uuid, 'n', \
                'picture', 'image/png', $2, 1)
                """,
                [job.uuidString, digests[1]])
            try await stage.store.query(
                """
                insert into atelier.concepts (tenant, name, version, role, model, adapter_sha256, job) values ('t', \
                'rex', 1, 'subject', 'm', $2, $1::uuid)
                """,
                [job.uuidString, digests[2]])
            #expect(try await stage.store.unreferenced(digests) == [digests[3]])
        }
    }
}
