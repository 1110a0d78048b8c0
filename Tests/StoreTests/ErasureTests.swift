import Foundation
import Hashing
import Jobs
import ServerTesting
import Store
import Testing

/// What is deleted is gone, what another needs stays, and what is one tenant's is no other's.
@Suite(.timeLimit(.minutes(10))) struct ErasureTests {
    private func digest(_ digit: Character) -> SHA256Digest { SHA256Digest(String(repeating: digit, count: 64))! }

    /// Has a tenant send a job whose message has these pictures and refers to those, and completes it.
    @discardableResult
    private func complete(
        _ stage: Stage, _ id: String, tenant: String = "t", kind: JobKind = .generate, sends: String = "",
        refers: String = "", makes: String = "", concept: String = "rex"
    ) async throws -> UUID {
        let images = (sends + refers).map { JSONValue.object(["artifact": .string(digest($0).prefixed)]) }
        var submission = Submission(
            tenant: tenant, messageID: id, kind: kind,
            spec: .object([
                "model": .string("m"), "images": .array(images),
                "concept": .object(["name": .string(concept), "role": .string("subject")]),
            ]))
        submission.pictures = sends.map { digest($0) }
        let job = try await stage.store.accept([submission])[0].job
        let claimed = try await stage.claimOne(try await stage.worker())
        let artifacts = makes.enumerated().map { number, digit in
            EngineEvent.Artifact(
                role: number == 0 ? .adapter : .sheet, name: "\(number)", path: "/\(number)", mediaType: "x/y",
                sha256: digest(digit).description, bytes: 1)
        }
        _ = try await stage.store.finish(
            job, claimed.attempt, AttemptResult(outcome: .completed, artifacts: artifacts))
        return job
    }

    private func held(_ tenant: String, _ digits: String, _ stage: Stage) async throws -> Set<SHA256Digest> {
        try await stage.store.held(by: tenant, digits.map { digest($0) })
    }

    private func digests(_ digits: String) -> Set<SHA256Digest> { Set(digits.map { digest($0) }) }

    @Test func anArtifactIsTheTenantsThatSentOrMadeIt() async throws {
        try await Stage.with { stage in
            try await complete(stage, "1", tenant: "bob", sends: "a", makes: "b")
            try await complete(stage, "2", tenant: "alice", refers: "ab", makes: "c")
            #expect(try await held("bob", "abc", stage) == digests("ab"))
            #expect(try await held("alice", "abc", stage) == digests("c"), "to refer to one is not to have it")
            try await complete(stage, "3", tenant: "alice", sends: "a")
            #expect(try await held("alice", "abc", stage) == digests("ac"), "who sends the same picture has it")
        }
    }

    @Test func aDeletedJobIsGoneWithAllThatHungOnIt() async throws {
        try await Stage.with { stage in
            let job = try await complete(stage, "m", kind: .personalize, sends: "a", makes: "bc")
            try await stage.store.reject(
                Rejection(
                    tenant: "t", messageID: "m", kind: nil, problems: [Problem("", found: "x", allowed: "y")],
                    body: Data("a face".utf8)))
            #expect(try await stage.store.deleteJob(job) == .deleted)
            #expect(try await stage.store.deleteJob(job) == nil)
            for table in [
                "jobs", "attempts", "job_events", "artifacts", "concepts", "rejections", "tenant_artifacts", "outbox",
            ] {
                #expect(try await stage.store.query("select 1 from atelier.\(table)").isEmpty, "\(table)")
            }
            #expect(Set(try await stage.store.erasable(limit: 9)) == digests("abc"))
            try await stage.store.erased([digest("a"), digest("b")])
            #expect(try await stage.store.erasable(limit: 9) == [digest("c")])
        }
    }

    /// Its page has the first one's version; of what it answered nothing stays in its history.
    @Test func aJobThatLearntSeveralIsToldAndForgotten() async throws {
        try await Stage.with { stage in
            let concepts = ["rex", "mia"].map { JSONValue.object(["name": .string($0), "role": "subject"]) }
            let submission = Submission(
                tenant: "t", messageID: "two", kind: .personalize,
                spec: .object(["model": "m", "concepts": .array(concepts)]))
            let job = try await stage.store.accept([submission])[0].job
            let claimed = try await stage.claimOne(try await stage.worker())
            let adapter = EngineEvent.Artifact(
                role: .adapter, name: "0", path: "/0", mediaType: "x/y", sha256: digest("a").description, bytes: 1)
            _ = try await stage.store.finish(
                job, claimed.attempt,
                AttemptResult(outcome: .completed, result: ["figure": 0.5], artifacts: [adapter]))
            let told = try await stage.store.query(
                "select to_jsonb(d)->>'version' as version from dashboard.job_details d where d.job = $1::uuid",
                [job.uuidString])
            #expect(told.map { $0["version"] } == ["1"])
            let history = "select 1 from atelier.job_events e where e.detail::text ~ 'figure|sha256|aaaa'"
            #expect(try await !stage.store.query(history).isEmpty)
            _ = try await stage.store.deleteConcept("rex", tenant: "t", version: nil)
            #expect(try await stage.store.query(history).isEmpty)
        }
    }

    @Test func whatAnotherJobNeedsStays() async throws {
        try await Stage.with { stage in
            let job = try await complete(stage, "1", sends: "abc", makes: "d")
            try await complete(stage, "2", refers: "a")
            try await complete(stage, "3", tenant: "other", sends: "b")
            #expect(try await stage.store.deleteJob(job) == .deleted)
            #expect(try await held("t", "abcd", stage) == digests("a"), "a job of the tenant refers to it")
            #expect(try await held("other", "abcd", stage) == digests("b"))
            #expect(Set(try await stage.store.erasable(limit: 9)) == digests("cd"), "bytes that nobody needs go")
            try await complete(stage, "4", sends: "c")
            #expect(try await stage.store.erasable(limit: 9) == [digest("d")], "sent again it is needed again")
        }
    }

    @Test func onlyWhatHasEndedIsDeleted() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit().job
            #expect(try await stage.store.deleteJob(job) == .unfinished(.available))
            _ = try await stage.claimOne(try await stage.worker())
            #expect(try await stage.store.deleteJob(job) == .unfinished(.running))
            #expect(await stage.refusal("set role atelier_daemon; select atelier.delete_job('\(job)')") == "42501")
        }
    }

    @Test func aVersionOfAConceptGoesAloneAndIsNeverGivenAgain() async throws {
        try await Stage.with { stage in
            for (id, digit) in [("1", "a"), ("2", "b"), ("3", "c")] {
                try await complete(stage, id, kind: .personalize, sends: "f", makes: digit)
            }
            try await complete(stage, "other", tenant: "u", kind: .personalize, makes: "e")
            func versions() async throws -> [String] {
                try await stage.store.query(
                    "select tenant || version as v from atelier.concepts order by tenant, version"
                ).compactMap { $0["v"] }
            }
            #expect(try await versions() == ["t1", "t2", "t3", "u1"])
            #expect(try await stage.store.deleteConcept("rex", tenant: "t", version: 3, withReferences: true) == 1)
            #expect(try await versions() == ["t1", "t2", "u1"])
            #expect(try await stage.store.erasable(limit: 9) == [digest("c")], "the others need the pictures")
            try await complete(stage, "4", kind: .personalize, makes: "d")
            #expect(try await versions() == ["t1", "t2", "t4", "u1"])
            #expect(try await stage.store.deleteConcept("rex", tenant: "t", version: nil, withReferences: true) == 3)
            #expect(try await versions() == ["u1"])
            #expect(Set(try await stage.store.erasable(limit: 9)) == digests("abcdf"))
            try await complete(stage, "5", kind: .personalize, makes: "d")
            #expect(try await versions() == ["t5", "u1"])
            let names = try await stage.store.query(
                "select encode(name_sha256, 'hex') as n from atelier.concept_versions")
            #expect(names.allSatisfy { $0["n"]?.count == 64 }, "an erased name is not kept")
        }
    }

    @Test func aConceptGoesAloneUnlessItsReferencesShallGoToo() async throws {
        try await Stage.with { stage in
            let job = try await complete(stage, "1", kind: .personalize, sends: "ab", makes: "cd")
            #expect(try await stage.store.deleteConcept("rex", tenant: "t", version: nil) == 1)
            #expect(Set(try await stage.store.erasable(limit: 9)) == digests("cd"))
            #expect(try await held("t", "abcd", stage) == digests("ab"), "the pictures can be learnt from again")
            let row = try #require(try await stage.store.job(job))
            #expect(row["state"]?.string == "completed" && row["artifacts"]?.array?.isEmpty == true)
            #expect(row["result"]?["metrics"] == nil, "what it answered told of what was learnt")
            #expect(row["events"]?.array?.last?["event"]?.string == "concept_deleted")
            #expect(try await stage.store.newestConcepts(tenant: "t").isEmpty)
        }
    }

    @Test func whatATenantDeletedBeforeItsErasureIsWaitedFor() async throws {
        try await Stage.with { stage in
            try await complete(stage, "1", tenant: "bob", kind: .personalize, sends: "ab", makes: "c")
            try await complete(stage, "2", tenant: "alice", kind: .personalize, sends: "b", makes: "d")
            _ = try await stage.store.deleteConcept("rex", tenant: "bob", version: nil, withReferences: true)
            let remains = try await stage.store.remains(of: "bob").filter { $0.count > 0 }
            #expect(remains.map(\.count) == [1, 2, 1], "a version, two files and its turn: \(remains)")
            let erasure = try await stage.store.beginErasure(of: "bob")
            #expect(try await stage.store.erase(erasure) == 0)
            #expect(try await !stage.store.end(erasure), "files are still there")
            try await stage.store.erased(Array(digests("ac")))
            #expect(try await stage.store.end(erasure))
            let tenants = try await stage.store.query("select tenant from atelier.concept_versions")
            #expect(tenants.map { $0["tenant"] } == ["alice"], "the name of what was deleted is forgotten too")
        }
    }

    @Test func whatPrunedJobsNeededIsTheirTenantsNoMore() async throws {
        try await Stage.with { stage in
            try await complete(stage, "1", tenant: "bob", sends: "ab", makes: "c")
            try await complete(stage, "2", tenant: "bob", kind: .personalize, refers: "b", makes: "e")
            try await complete(stage, "3", tenant: "alice", kind: .personalize, sends: "a", makes: "d")
            try await stage.store.script(
                """
                update atelier.outbox set confirmed_at = now();
                update atelier.jobs set finalized_at = now() - interval '9 days';
                """)
            #expect(try await stage.store.prune(Retention(completedJobs: 1), limit: 9)["completed jobs"] == 1)
            try await stage.store.letGo(Array(digests("abcde")))
            #expect(try await held("bob", "abcde", stage) == digests("be"), "its concept came of these")
            #expect(try await held("alice", "abcde", stage) == digests("ad"))
        }
    }

    /// A message that comes again is answered, or makes a job: an erasure at the same moment is no fault of its own.
    @Test func aJobIsErasedAfterItsRepeatedMessageIsAnswered() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit("m").job
            _ = try await stage.store.cancel(job, reason: nil)
            try await stage.store.script(
                """
                create function public.wait() returns trigger language plpgsql as $$ begin
                    perform pg_advisory_xact_lock_shared(7);
                    return new;
                end $$;
                create trigger wait before insert on atelier.job_events
                    for each row when (new.event = 'duplicate') execute function public.wait();
                """)
            func waits(_ name: String) async throws -> Bool {
                try await !stage.store.query(
                    "select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'", [name]
                ).isEmpty
            }
            let holding = Store(url: stage.url, application: "holding")
            let accepting = Stage(url: stage.url, store: Store(url: stage.url, application: "accepting"))
            let erasing = Store(url: stage.url, application: "erasing")
            // On a crowded machine they wait longer than the five seconds that a statement waits for a lock.
            for store in [accepting.store, erasing] { try await store.query("set lock_timeout = 0") }
            try await holding.query("select pg_advisory_lock(7)")
            let acceptance = Task { try await accepting.submit("m") }
            while try await !waits("accepting") { try await Task.sleep(for: .milliseconds(20)) }
            let deletion = Task { try await erasing.deleteJob(job) }
            while try await !waits("erasing"), try await stage.store.state(of: job) != nil {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await holding.query("select pg_advisory_unlock(7)")
            #expect(try await acceptance.value == .duplicate(job))
            #expect(try await deletion.value == .deleted)
        }
    }

    @Test func jobsOfATenantAreErasedTogether() async throws {
        try await Stage.with { stage in
            for id in ["1", "2", "3"] { try await complete(stage, id, tenant: "bob", sends: "a", makes: "b") }
            // What is looked through from its beginning to its end, or grows with what was erased.
            try await stage.store.script(
                """
                create table public.writes (what text);
                create function public.note() returns trigger language plpgsql as $$ begin
                    insert into public.writes values (tg_table_name);
                    return null;
                end $$;
                create trigger note after delete on atelier.outbox for each statement execute function public.note();
                create trigger note after update on atelier.tenant_erasures
                    for each statement execute function public.note();
                """)
            let erasure = try await stage.store.beginErasure(of: "bob")
            #expect(try await stage.store.erase(erasure) == 0)
            let writes = try await stage.store.query(
                "select what || ' ' || count(*) as write from public.writes group by what order by what")
            #expect(writes.map { $0["write"] } == ["outbox 2", "tenant_erasures 1"], "and not once for each job")
            let rows = try await stage.store.query(
                "select jobs, cardinality(digests) as files from atelier.tenant_erasures")
            #expect(rows.first?["jobs"] == "3" && rows.first?["files"] == "2", "\(rows)")
        }
    }

    @Test func whatIsTooMuchForOneStatementIsErasedInParts() async throws {
        try await Stage.with { stage in
            for _ in 0..<5 { try await stage.submit(tenant: "bob") }
            try await stage.store.script(StatementTimeout.onDeletingJobs(moreThan: 3))
            let erasure = try await stage.store.beginErasure(of: "bob")
            #expect(try await stage.store.erase(erasure) == 2)
            #expect(try await stage.store.erase(erasure) == 0)
        }
    }

    @Test func fewerAtOnceAreErasedForNothingElseThatGoesWrong() async throws {
        try await Stage.with { stage in
            for _ in 0..<5 { try await stage.submit(tenant: "bob") }
            try await stage.store.script(StatementTimeout.onDeletingJobs(moreThan: 3, as: "lock_not_available"))
            let erasure = try await stage.store.beginErasure(of: "bob")
            await #expect(throws: StoreError.unavailable("it took too long")) {
                try await stage.store.erase(erasure)
            }
        }
    }

    @Test func aTenantIsErasedWhileOthersJobsRun() async throws {
        try await Stage.with { stage in
            let job = try await complete(stage, "1", tenant: "bob", kind: .personalize, sends: "ab", makes: "cd")
            try await complete(stage, "2", tenant: "alice", kind: .personalize, sends: "b", makes: "e")
            try await stage.store.reject(
                Rejection(
                    tenant: "bob", messageID: "bad", kind: nil, problems: [Problem("", found: "x", allowed: "y")],
                    body: Data("a face".utf8)))
            let waits = Submission(
                tenant: "bob", messageID: "waits", kind: .generate, spec: .object(["model": .string("m")]))
            let runs = Submission(
                tenant: "alice", messageID: "runs", kind: .generate, spec: .object(["model": .string("m")]))
            _ = try await stage.store.accept([runs])
            let worker = try await stage.worker()
            let other = try await stage.claimOne(worker)
            let running = Submission(
                tenant: "bob", messageID: "running", kind: .generate, spec: .object(["model": .string("m")]))
            _ = try await stage.store.accept([running])
            let claimed = try await stage.claimOne(worker)
            _ = try await stage.store.accept([waits])
            #expect(claimed.tenant == "bob" && other.tenant == "alice")

            #expect(try await stage.store.remains(of: "bob").contains { $0.count > 0 })
            let erasure = try await stage.store.beginErasure(of: "bob")
            // Who was interrupted goes on where it was.
            #expect(try await stage.store.beginErasure(of: "bob").number == erasure.number)
            #expect(try await stage.store.erase(erasure) == 1, "a running job is waited for")
            #expect(try await !stage.store.end(erasure))
            _ = try await stage.store.finish(claimed.job, claimed.attempt, AttemptResult(outcome: .cancelled))
            #expect(try await stage.store.erase(erasure) == 0)
            #expect(try await !stage.store.end(erasure), "files are still there")
            #expect(Set(try await stage.store.erasable(limit: 9)) == digests("acd"), "alice sent the other picture too")
            try await stage.store.erased(Array(digests("acd")))
            #expect(try await stage.store.end(erasure))

            #expect(try await stage.store.remains(of: "bob").allSatisfy { $0.count == 0 })
            #expect(try await stage.store.job(job) == nil)
            for row in try await stage.store.query(
                """
                select table_name from information_schema.columns
                where table_schema = 'atelier' and column_name = 'tenant' and table_name <> 'tenant_erasures'
                """)
            {
                let table = try #require(row["table_name"])
                let left = try await stage.store.query("select 1 from atelier.\(table) where tenant = 'bob'")
                #expect(left.isEmpty, "\(table)")
            }
            #expect(try await stage.store.query("select 1 from atelier.outbox where body::text ~ 'bob'").isEmpty)
            let row = try #require(
                try await stage.store.query(
                    "select *, ended_at is not null as ended from atelier.tenant_erasures where tenant = 'bob'"
                ).first)
            #expect(row["ended"] == "t" && row["jobs"] == "3" && row["concepts"] == "1" && row["rejections"] == "1")
            #expect(row["digests"] == "{}" && row["artifacts"] == "4" && row["asked_by"] != nil)
            _ = try await stage.store.finish(other.job, other.attempt, AttemptResult(outcome: .completed))
            #expect(try await stage.store.newestConcepts(tenant: "alice").count == 1)
            #expect(await stage.refusal("set role atelier_daemon; select atelier.begin_erasure('x')") == "42501")
        }
    }
}
