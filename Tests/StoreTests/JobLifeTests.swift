import Foundation
import Hashing
import Jobs
import Store
import Testing

/// The transitions of a job, held against a real PostgreSQL.
@Suite(.timeLimit(.minutes(10))) struct JobLifeTests {
    @Test func theSameMessageTwiceIsOneJobOfItsTenant() async throws {
        try await Stage.with { stage in
            let first = try await stage.submit("m")
            #expect(try await stage.submit("m") == .duplicate(first.job))
            #expect(try await stage.submit("m", tenant: "other").job != first.job)
            #expect(try await stage.store.jobs(JobFilter()).count == 2)
        }
    }

    /// Whoever publishes again may have lost the connection that the first queue was of, or the outcome.
    @Test func whoAsksAgainIsTold() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            try await stage.submit("m", replyTo: "first")
            let claimed = try await stage.claimOne(worker)
            try await stage.submit("m", replyTo: "second")
            try await stage.submit("m")
            let picture = EngineEvent.Artifact(
                role: .picture, name: "p", path: "/p", mediaType: "x/y", sha256: String(repeating: "a", count: 64),
                bytes: 1)
            _ = try await stage.store.finish(
                claimed.job, claimed.attempt,
                AttemptResult(outcome: .completed, result: ["seed": 7], artifacts: [picture]))
            try await stage.submit("m", replyTo: "third")
            let told = try await stage.store.outbox(.fresh, limit: 99).filter(\.isReply)
            #expect(
                told.map { "\($0.event) \($0.routingKey)" } == [
                    "duplicate second", "duplicate second", "completed second", "duplicate third",
                ])
            let bodies = try told.map { try JSONValue(json: $0.body) }
            #expect(bodies[3]["artifacts"]?.array?.count == 1 && bodies[3]["artifacts"] == bodies[2]["artifacts"])
            #expect(bodies[3]["result"] == ["seed": 7])

            try await stage.submit("n")
            let failed = try await stage.claimOne(worker)
            let end = AttemptResult(outcome: .failed, consequence: .fatal, code: "engine.error", message: "why")
            #expect(try await stage.store.finish(failed.job, failed.attempt, end) == .discarded)
            try await stage.submit("n", replyTo: "late")
            let last = try #require(try await stage.store.outbox(.fresh, limit: 99).last(where: \.isReply))
            #expect(try JSONValue(json: last.body)["error"] == ["code": "engine.error", "message": "why"])
        }
    }

    @Test func aUsedIdWithAnotherBodyIsAConflict() async throws {
        try await Stage.with { stage in
            func submit(_ bodies: String...) async throws -> [Acceptance] {
                try await stage.store.accept(
                    bodies.map {
                        Submission(
                            tenant: "t", messageID: "m", kind: .generate, spec: try JSONValue(json: Data($0.utf8)))
                    })
            }
            let all = try await submit(
                #"{"seed":1,"options":{"a/b":[1,2]}}"#, #"{"options":{"a/b":[1.0,2e0]},"seed":1}"#,
                #"{"seed":1,"options":{"a/b":[1,3]},"model":"m"}"#)
            let first = all[0].job
            #expect(all[0] == .accepted(first) && all[1] == .duplicate(first), "written otherwise it is the same")
            #expect(all[2] == .conflict(first, differences: ["/model", "/options/a~1b/1"]))
            #expect(try await submit(#"[1]"#) == [.conflict(first, differences: [""])])
            let events = try await stage.store.outbox(.fresh, limit: 9).map(\.event)
            #expect(events == ["accepted", "duplicate"])
        }
    }

    @Test func claimsFollowPriorityThenFairnessThenAge() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let a1 = try await stage.submit(tenant: "a")
            let a2 = try await stage.submit(tenant: "a")
            let b = try await stage.submit(tenant: "b")
            let urgent = try await stage.submit(tenant: "a", priority: 9)
            var order: [UUID] = []
            for _ in 0..<4 { order.append(try await stage.claimOne(worker).job) }
            #expect(order == [urgent.job, b.job, a1.job, a2.job])
            #expect(try await stage.store.claim(worker, 1).isEmpty)
        }
    }

    @Test func aTenantWithManyJobsDoesNotStarveTheOthers() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            for _ in 0..<30 { try await stage.submit(tenant: "many") }
            for tenant in ["few", "other"] { for _ in 0..<3 { try await stage.submit(tenant: tenant) } }
            let together = try await stage.store.claim(worker, 9).map(\.tenant)
            #expect(Dictionary(grouping: together) { $0 }.mapValues(\.count) == ["many": 3, "few": 3, "other": 3])
            // Whoever comes next runs nothing yet.
            let late = try await stage.submit(tenant: "late")
            #expect(try await stage.claimOne(worker).job == late.job)
        }
    }

    @Test func aJobIsScheduledUntilItsTimeAndDiscardedAfterItsDeadline() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            func submission(_ id: String, runAfter: Date?, deadline: Date?) -> Submission {
                Submission(
                    tenant: "t", messageID: id, kind: .generate, spec: .object([:]), runAfter: runAfter,
                    deadline: deadline)
            }
            let later = try await stage.store.accept([submission("later", runAfter: .now + 3600, deadline: nil)])[0].job
            let late = try await stage.store.accept([submission("late", runAfter: nil, deadline: .now - 1)])[0].job
            #expect(try await stage.store.state(of: later) == .scheduled)
            #expect(try await stage.store.claim(worker, 9).isEmpty, "what is past its deadline is not begun")
            #expect(try await stage.store.secondsUntilDue().map { (3500...3600).contains($0) } == true)
            #expect(try await stage.store.expire() == 1)
            #expect(try await stage.store.state(of: late) == .discarded)
            #expect(try await stage.store.job(late)?["error_code"] == .string("job.deadline"))
            #expect(try await stage.store.claim(worker, 9).isEmpty)
            try await stage.store.query(
                "update atelier.jobs set run_after = now() where id = $1::uuid", [later.uuidString])
            #expect(try await stage.claimOne(worker).job == later)
        }
    }

    @Test func workersAtTheSameTimeNeverShareAJob() async throws {
        try await Stage.with { stage in
            for _ in 0..<60 { try await stage.submit() }
            var workers: [UUID] = []
            for _ in 0..<4 { workers.append(try await stage.worker()) }
            let claimed = try await withThrowingTaskGroup(of: [UUID].self) { group in
                for worker in workers {
                    let own = Store(url: stage.url, application: "test")
                    group.addTask {
                        var jobs: [UUID] = []
                        while let job = try await own.claim(worker, 1).first { jobs.append(job.job) }
                        return jobs
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 60 && Set(claimed).count == 60)
        }
    }

    @Test func anAttemptThatLostItsJobChangesNothing() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            let dead = try await stage.worker("same")
            let old = try await stage.claimOne(dead)
            let next = try await stage.worker("same")  // registering in the same folder rescues
            #expect(try await stage.store.beat(dead).isKnown == false)
            let new = try await stage.claimOne(next)
            #expect(new.job == old.job && new.attempt == 2)
            #expect(try await stage.store.finish(old.job, old.attempt, AttemptResult(outcome: .completed)) == nil)
            #expect(
                try await stage.store.record(
                    old.job, old.attempt, started: nil, progress: .init(stage: "s", step: 9, steps: 9), metrics: [],
                    checkpoint: nil) == nil)
            let job = try #require(try await stage.store.job(new.job))
            #expect(
                job["state"] == .string("running") && job["step"] == .null && job["failures"] == .integer(0)
                    && job["rescues"] == .integer(1))
            #expect(
                try await stage.store.finish(new.job, new.attempt, AttemptResult(outcome: .completed)) == .completed)
        }
    }

    @Test(arguments: [
        (AttemptOutcome.completed, Consequence.transient, JobState.completed), (.failed, .transient, .retryable),
        (.failed, .fatal, .discarded), (.failed, .rejected, .discarded), (.crashed, .transient, .retryable),
        (.interrupted, .transient, .available), (.cancelled, .transient, .cancelled),
    ])
    func anEndLeadsWhereItShould(
        _ outcome: AttemptOutcome, _ consequence: Consequence, _ state: JobState
    ) async throws {
        try await Stage.with { stage in
            try await stage.submit(replyTo: "me")
            let claimed = try await stage.claimOne(try await stage.worker())
            #expect(
                try await stage.store.finish(
                    claimed.job, claimed.attempt,
                    AttemptResult(outcome: outcome, consequence: consequence, code: "c", message: "m")) == state)
            let replies = try await stage.store.outbox(.fresh, limit: 99).filter(\.isReply)
            #expect(replies.map(\.routingKey) == (state.isFinal ? ["me"] : []))
        }
    }

    @Test func aRunningJobIsAskedToStopAndAFinalOneCanBeRetried() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit().job
            let worker = try await stage.worker()
            let claimed = try await stage.claimOne(worker)
            #expect(try await stage.store.retry(job, fromScratch: false) == false)
            #expect(try await stage.store.cancel(job, reason: "r") == .running)
            #expect(try await stage.store.beat(worker).cancelling == [job])
            #expect(
                try await stage.store.finish(
                    job, claimed.attempt, AttemptResult(outcome: .interrupted, code: "daemon.interrupted"))
                    == .cancelled)
            // However its attempt ended: that is the attempt's.
            let ended = try #require(try await stage.store.job(job))
            #expect(ended["error_code"] == "job.cancelled" && ended["error_message"] == "cancelled on request")
            #expect(ended["attempts"]?.array?.first?["error_code"] == "daemon.interrupted")
            #expect(try await stage.store.retry(job, fromScratch: true))
            #expect(try await stage.store.state(of: job) == .available)
            #expect(try await stage.store.cancel(UUID(), reason: nil) == nil)
        }
    }

    /// A follow-up may have its parent's id as its message id, another tenant's too.
    @Test func aWholeIdMeansItsOwnJobWhateverMessageIdsThereAre() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit("first").job
            let id = job.uuidString.lowercased()
            let other = try await stage.submit(id).job
            #expect(try await stage.store.find(id) == [job])
            #expect(try await stage.store.find("first") == [job])
            #expect(try await stage.store.find(other.uuidString) == [other])
            let unknown = UUID().uuidString.lowercased()
            let named = try await stage.submit(unknown).job
            #expect(try await stage.store.find(unknown) == [named])
        }
    }

    @Test func aReasonWithoutEndIsCut() async throws {
        try await Stage.with { stage in
            let jobs = [try await stage.submit().job, try await stage.submit().job]
            let worker = try await stage.worker()
            _ = try await stage.claimOne(worker)
            for job in jobs { _ = try await stage.store.cancel(job, reason: String(repeating: "~", count: 100_000)) }
            let rows = try await stage.store.query("select length(cancel_reason) as length from atelier.jobs")
            #expect(rows.map { $0["length"] } == ["300", "300"])
        }
    }

    /// Its daemon's death changes neither that it was cancelled nor why; and whoever asks again without a reason takes
    /// none away.
    @Test func aCancelledJobOfADeadDaemonIsCancelledForItsReason() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit().job
            let worker = try await stage.worker()
            _ = try await stage.claimOne(worker)
            for reason in ["of no use", nil] {
                #expect(try await stage.store.cancel(job, reason: reason) == .running)
            }
            try await stage.store.leave(worker)
            let row = try await stage.store.query(
                "select state, cancel_reason, error_code from atelier.jobs where id = $1::uuid", [job.uuidString])[0]
            #expect(row["state"] == "cancelled" && row["cancel_reason"] == "of no use")
            #expect(row["error_code"] == "job.cancelled")
        }
    }

    @Test func whoPublishesARejectedMessageAgainIsAnsweredAgain() async throws {
        try await Stage.with { stage in
            let rejection = Rejection(
                tenant: "t", messageID: "bad", kind: "generate", problems: [Problem("/x", found: "1", allowed: "2")],
                body: Data("{}".utf8), replyTo: "answers", correlationID: nil)
            var answers: [String] = []
            for _ in 0..<2 {
                try await stage.store.reject(rejection)
                let waiting = try await stage.store.outbox(.fresh, limit: 9)
                answers += waiting.filter(\.isReply).map(\.eventID)
                try await stage.store.confirmed(waiting.map(\.id))
            }
            #expect(
                answers.count == 2 && Set(answers).count == 1,
                "a message that was only delivered again is answered under the same id")
            let rows = try await stage.store.query(
                "select exchange from atelier.outbox where event = 'rejected' order by exchange")
            #expect(rows.map { $0["exchange"] } == ["", "", "events"])
            #expect(try await stage.store.query("select 1 from atelier.rejections").count == 1)
        }
    }

    /// Who waits for what becomes of a message finds why it was refused this time.
    @Test func aMessageThatIsRefusedAgainIsRefusedNow() async throws {
        try await Stage.with { stage in
            func refused(for found: String) async throws -> String? {
                let start = try await stage.store.clock()
                try await stage.store.reject(
                    Rejection(
                        tenant: "t", messageID: "bad", kind: "generate",
                        problems: [Problem("/model", found: found, allowed: "another")], body: Data("{}".utf8),
                        replyTo: "answers"))
                let answer = try await stage.store.answer(to: "bad", tenant: "t", since: start)
                guard case .rejection(let row)? = answer else { return nil }
                return row["problems"]?.array?.first?["found"]?.string
            }
            #expect(try await refused(for: "m") == "m")
            let first = try await stage.store.rejections(limit: 9).compactMap { $0["number"]?.integer }
            #expect(try await refused(for: "m") == "m")
            #expect(try await refused(for: "n") == "n")
            let last = try await stage.store.rejections(limit: 9).compactMap { $0["number"]?.integer }
            #expect(first.count == 1 && last.count == 1 && last[0] > first[0], "it is the newest")
            let told = try await stage.store.outbox(.fresh, limit: 9)
            #expect(told.filter { !$0.isReply }.count == 2, "listeners hear of other reasons alone")
            #expect(Set(told.filter(\.isReply).map(\.eventID)).count == 2, "other reasons are another answer")
        }
    }

    /// A daemon bounds what it answers, and the web program that passes it on bounds what it tells.
    @Test func whatWasBoundedStaysAsItIs() {
        let long = String(repeating: "~", count: 1000)
        let bounded = (0..<200).map { Problem("/prompts/\($0)", found: long, allowed: long) }.bounded
        #expect(bounded.count == 51 && bounded.last?.found == "200 problems")
        #expect(bounded.bounded == bounded)
    }

    @Test func whatAnEndTellsIsBounded() async throws {
        try await Stage.with { stage in
            let job = try await stage.submit(replyTo: "answers").job
            let claim = try await stage.claimOne(try await stage.worker())
            let long = String(repeating: "x", count: 100_000)
            let end = AttemptResult(
                outcome: .failed, consequence: .rejected, code: "concept.unknown", message: long,
                problems: (0..<200).map { Problem("/prompts/\($0)", found: long, allowed: long) })
            #expect(try await stage.store.finish(job, claim.attempt, end) == .discarded)
            let rows = try await stage.store.query(
                """
                select jsonb_array_length(problems) as count, problems->50->>'found' as rest,
                    length(error_message) as length
                from atelier.attempts
                """)
            #expect(rows.map { $0["count"] } == ["51"] && rows.map { $0["rest"] } == ["200 problems"])
            #expect(rows.map { $0["length"] } == ["4001"])
            let bodies = try await stage.store.outbox(.fresh, limit: 9).filter { $0.event == "discarded" }.map(\.body)
            #expect(bodies.count == 2 && bodies.allSatisfy { $0.count < 64 << 10 })
        }
    }

    @Test func anEndWhoseAnswerWasLostIsOwnedStill() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            let (first, second) = (try await stage.worker("a"), try await stage.worker("b"))
            let claimed = try await stage.claimOne(first)
            let end = AttemptResult(outcome: .completed, logTail: "last words")
            func finish(_ end: AttemptResult) async throws -> JobState? {
                try await stage.store.finish(claimed.job, claimed.attempt, end)
            }
            #expect(try await finish(end) == .completed)
            #expect(try await finish(end) == .completed, "asked again it is as it was")
            #expect(try await stage.store.outbox(.fresh, limit: 9).filter { $0.event == "completed" }.count == 1)
            #expect(try await finish(AttemptResult(outcome: .failed)) == nil, "another end changes nothing")
            // Of a job that was cancelled meanwhile the end is another than was asked for, and owned as well.
            let cancelled = try await stage.submit().job
            let stopped = try await stage.claimOne(first)
            _ = try await stage.store.cancel(cancelled, reason: nil)
            for _ in 0..<2 {
                #expect(try await stage.store.finish(stopped.job, stopped.attempt, end) == .cancelled)
            }
            // An end that nobody wrote down stays lost, whoever took the job over.
            try await stage.submit()
            let lost = try await stage.claimOne(first)
            try await stage.store.leave(first)
            _ = try await stage.claimOne(second)
            #expect(try await stage.store.finish(lost.job, lost.attempt, end) == nil)
        }
    }

    @Test func aLongRejectedBodyIsKeptInPart() async throws {
        try await Stage.with { stage in
            func reject(_ last: Character) async throws {
                let body = Data((String(repeating: "x", count: 1 << 20) + String(last)).utf8)
                try await stage.store.reject(
                    Rejection(
                        tenant: "t", messageID: "long", kind: nil, problems: [Problem("", found: "1", allowed: "2")],
                        body: body))
            }
            for last: Character in ["a", "a", "b"] { try await reject(last) }
            let rows = try await stage.store.query(
                """
                select octet_length(body) as bytes, convert_from(substr(body, 65537), 'UTF8') as last from \
                atelier.rejections order by id
                """
            )
            #expect(rows.count == 2, "the same is the same, and another another")
            #expect(
                rows.allSatisfy {
                    Int($0["bytes"] ?? "").map { $0 < 66_000 } == true
                        && $0["last"]?.contains("1048577 bytes in all, sha256:") == true
                }, "\(rows)")
        }
    }

    @Test func aMarkOnANULHidesNothingFromPostgreSQL() async throws {
        try await Stage.with { stage in
            try await stage.store.reject(
                Rejection(
                    tenant: "t", messageID: "m", kind: nil,
                    problems: [Problem("/a\0\u{301}", found: "\\u0000", allowed: "b")], body: Data()))
            let row = try await stage.store.query(
                """
                select problems -> 0 ->> 'pointer' as pointer, problems -> 0 ->> 'found' as found
                from atelier.rejections
                """)[0]
            #expect(row["pointer"] == "/a\u{FFFD}\u{301}" && row["found"] == #"\u0000"#)
        }
    }

    @Test func whatBeganInTimeGoesOnAfterItsDeadline() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let job = try await stage.store.accept([
                Submission(tenant: "t", messageID: "m", kind: .generate, spec: .object([:]), deadline: .now + 60)
            ])[0].job
            let first = try await stage.claimOne(worker)
            try await stage.store.query("update atelier.jobs set deadline = now() - interval '1 minute'")
            #expect(
                try await stage.store.finish(job, first.attempt, AttemptResult(outcome: .interrupted)) == .available)
            #expect(try await stage.store.expire() == 0)
            #expect(try await stage.claimOne(worker).attempt == 2)
        }
    }

    @Test func aLifetimeIsReckonedByTheDatabase() async throws {
        try await Stage.with { stage in
            func expiring(_ id: String, lifetime: Double, at time: Date) -> Submission {
                var submission = Submission(
                    tenant: "t", messageID: id, kind: .generate, spec: .object([:]), lifetime: lifetime)
                submission.expiresAt = time
                return submission
            }
            _ = try await stage.store.accept([
                Submission(tenant: "t", messageID: "a", kind: .generate, spec: .object([:]), lifetime: 90.9),
                Submission(
                    tenant: "t", messageID: "b", kind: .generate, spec: .object([:]), deadline: .now + 60.25,
                    lifetime: 1),
                expiring("c", lifetime: 900, at: .now + 60.25), expiring("d", lifetime: 90.9, at: .now + 900),
            ])
            let rows = try await stage.store.query(
                "select extract(epoch from deadline - created_at) as seconds from atelier.jobs order by message_id")
            let seconds = rows.compactMap { $0["seconds"].flatMap { Double($0) } }
            #expect(abs(seconds[0] - 90.9) < 0.001 && abs(seconds[1] - 60.25) < 5, "\(seconds)")
            #expect(abs(seconds[2] - 60.25) < 5 && abs(seconds[3] - 90.9) < 0.001, "the sooner: \(seconds)")
            #expect(try await stage.store.claim(try await stage.worker(), 9).count == 4)
        }
    }

    @Test func whatHostsFailUnderIsGivenUpAtTheTenth() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let job = try await stage.submit().job
            let end = AttemptResult(outcome: .interrupted, code: "host.fault", message: "model.damaged: m")
            for count in 1...10 {
                let claim = try await stage.claimOne(worker)
                #expect(try await stage.store.finish(job, claim.attempt, end) == (count < 10 ? .retryable : .discarded))
                let row = try #require(try await stage.store.job(job))
                #expect(
                    row["rescues"] == .integer(count) && row["failures"] == .integer(0)
                        && row["error_message"] == .string("model.damaged: m"))
                try await stage.store.query("update atelier.jobs set run_after = now() where state = 'retryable'")
            }
            #expect(
                try await stage.store.objects("select error_code, attempts, jobs from dashboard.failures")
                    == [["error_code": "host.fault", "attempts": 10, "jobs": 1]])
        }
    }

    /// Each once, however often it is made; of many pictures the sheet alone is told of.
    @Test func whatIsMadeBeforeTheEndStaysWhateverTheEnd() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let job = try await stage.submit().job
            func artifact(_ role: ArtifactRole, _ name: String, _ digit: String) -> EngineEvent.Artifact {
                EngineEvent.Artifact(
                    role: role, name: name, path: "/w/\(name)", mediaType: "image/png",
                    sha256: String(repeating: digit, count: 64), bytes: 1, prompt: "a <rex> dog \u{0}", seed: .max)
            }
            let made = [
                artifact(.preview, "preview-5.png", "a"), artifact(.proxy, "proxy-rex-1.png", "b"),
                artifact(.proxies, "proxies-rex.png", "c"),
            ]
            for number in 1...2 {
                let claim = try await stage.claimOne(worker)
                #expect(claim.attempt == number)
                #expect(
                    try await stage.store.record(
                        job, claim.attempt, started: nil, progress: nil, metrics: [], checkpoint: nil, artifacts: made)
                        == false)
                let end = AttemptResult(outcome: number == 1 ? .interrupted : .failed, consequence: .fatal, code: "c")
                _ = try await stage.store.finish(job, claim.attempt, end)
            }
            let kept = try #require(try await stage.store.job(job))
            #expect(kept["state"] == "discarded")
            #expect(Set(kept["artifacts"]?.array?.map(\.artifactRole) ?? []) == Set(made.map(\.role)))
            let held = try await stage.store.query("select sha256 from atelier.tenant_artifacts order by sha256")
            #expect(held.compactMap { $0["sha256"] } == made.map(\.sha256))
            let told = try await stage.store.query(
                "select body->'artifact'->>'name' as name from atelier.outbox where event = 'preview' order by name")
            #expect(told.compactMap { $0["name"] } == ["preview-5.png", "proxies-rex.png"])
            let late = try await stage.store.record(
                job, 1, started: nil, progress: nil, metrics: [], checkpoint: nil, artifacts: made)
            #expect(late == nil)
        }
    }

    @Test func aJobCancelledWhileItWaitedBeginsAnew() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let job = try await stage.submit().job
            let claim = try await stage.claimOne(worker)
            let checkpoint = EngineEvent.Checkpoint(
                step: 4, path: "/w/4", sha256: String(repeating: "a", count: 64), bytes: 1)
            _ = try await stage.store.record(
                job, claim.attempt, started: nil, progress: nil, metrics: [], checkpoint: checkpoint)
            #expect(
                try await stage.store.finish(
                    job, claim.attempt, AttemptResult(outcome: .failed, code: "c", message: "m")) == .retryable)
            #expect(try await stage.store.cancel(job, reason: nil) == .cancelled)
            #expect(try await stage.store.retry(job, fromScratch: false))
            #expect(try await stage.store.checkpoints(of: job).isEmpty)
        }
    }

    @Test func whatIsLeftIsToldByThePaceOfThePresentStage() async throws {
        try await Stage.with { stage in
            _ = try await stage.submit()
            let claim = try await stage.claimOne(stage.worker())
            func eta(_ name: String, _ step: Int, _ steps: Int) async throws -> (seconds: Double?, of: String?) {
                let progress = EngineEvent.Progress(stage: name, step: step, steps: steps)
                _ = try await stage.store.record(
                    claim.job, claim.attempt, started: nil, progress: progress, metrics: [], checkpoint: nil)
                let row = try #require(
                    try await stage.store.query(
                        """
                        select r.eta_seconds, r.eta_of, d.eta_of as detail from dashboard.running r
                            join dashboard.job_details d on d.job = r.job
                        """
                    ).first)
                #expect(row["eta_of"] == row["detail"])
                return (row["eta_seconds"].flatMap { Double($0) }, row["eta_of"])
            }
            let unknown = try await eta("train", 400, 600)
            #expect(unknown.seconds == nil && unknown.of == nil, "resumed there: its pace is not known yet")
            try await stage.store.script(
                """
                update atelier.jobs set stage_began_at = now() - interval '10 seconds', started_at = now() - interval \
                '1 hour'
                """
            )
            let paced = try await eta("train", 410, 600)
            let left = try #require(paced.seconds)
            #expect((189...600).contains(left), "ten steps in ten seconds, and not 410 in an hour: \(left)")
            #expect(paced.of == "stage")
            #expect(try await eta("generate", 0, 8).of == nil)
            try await stage.store.script(#"update atelier.jobs set estimate = '{"seconds": 7200}'"#)
            let estimated = try await eta("generate", 0, 8)
            #expect(estimated.seconds.map { $0 <= 3600 } == true && estimated.of == "job", "\(estimated)")
            #expect(try await eta("generate", 1, 8).of == "stage")
        }
    }

    @Test func namesWithEscapesSurviveAsData() async throws {
        try await Stage.with { stage in
            let name = "'; drop table atelier.jobs; --\u{1b}[2J\"\\ é%"
            try await stage.submit(name, tenant: name)
            let claimed = try await stage.claimOne(try await stage.worker())
            #expect(claimed.messageID == name && claimed.tenant == name)
            let answer = try await stage.store.answer(to: name, tenant: name, since: "epoch")
            #expect(answer == .job(claimed.job))
        }
    }

    @Test func memoryIsKnownWhileAnEngineRuns() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            let claimed = try await stage.claimOne(try await stage.worker())
            func record(_ progress: EngineEvent.Progress?, _ memory: Int64?) async throws {
                _ = try await stage.store.record(
                    claimed.job, claimed.attempt, started: nil, progress: progress, metrics: [], checkpoint: nil,
                    memory: memory)
            }
            try await record(.init(stage: "steps", step: 3, steps: 9), 1 << 30)
            try await record(nil, 1 << 20)
            let row = try #require(try await stage.store.objects("select * from dashboard.running").first)
            #expect(
                row["peak_memory_bytes"] == .integer(1 << 30) && row["stage"] == .string("steps")
                    && row["step"] == .integer(3))
        }
    }

    @Test func whatWasLearntOfConceptsIsFoundWithItsSize() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let spec: JSONValue = [
                "model": "pocket-infinity", "method": "lora", "concept": ["name": "rex", "role": "subject"],
            ]
            for (id, bytes) in [("1", 10), ("2", 20)] {
                _ = try await stage.store.accept([
                    Submission(tenant: "t", messageID: id, kind: .personalize, spec: spec)
                ])
                let claim = try await stage.claimOne(worker)
                let end = AttemptResult(
                    outcome: .completed,
                    artifacts: [
                        .init(
                            role: .adapter, name: "a", path: "/a", mediaType: "x/y",
                            sha256: String(repeating: id, count: 64), bytes: bytes)
                    ])
                _ = try await stage.store.finish(claim.job, claim.attempt, end)
            }
            let mentions = ConceptMention.all(in: ["a <rex> beside <rex@1> and <max>", "<rex>"])
            func found(_ model: String, _ tenant: String) async throws -> [String: InspectionOrder.Adapter] {
                try await stage.store.adapters(of: mentions, model: model, tenant: tenant)
            }
            #expect(
                try await found("pocket-infinity", "t")
                    == ["rex": .init(method: "lora", bytes: 20), "rex@1": .init(method: "lora", bytes: 10)])
            #expect(try await found("pocket-infinity", "other").isEmpty)
            #expect(try await found("pocket-chameleon", "t").isEmpty)
            // One of ARBooth's own says how many rows stand for it in a prompt.
            let imported: JSONValue = [
                "model": "pocket-infinity", "method": "arbooth", "concept": ["name": "max", "role": "subject"],
                "options": ["file": "ar-ckpt.pth", "rows": 4],
            ]
            _ = try await stage.store.importConcept(imported, tenant: "t", adapter: SHA256Digest.of([1]), bytes: 30)
            let rows = InspectionOrder.Adapter(method: "arbooth", bytes: 30, rows: 4)
            #expect(try await found("pocket-infinity", "t")["max"] == rows)
        }
    }

    @Test func twoJobsThatLearnOneNameAtTheSameTimeMakeTwoVersions() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let spec: JSONValue = .object([
                "model": .string("pocket-infinity"),
                "concept": .object(["name": .string("rex"), "role": .string("subject")]),
            ])
            for id in ["1", "2"] {
                _ = try await stage.store.accept([
                    Submission(tenant: "t", messageID: id, kind: .personalize, spec: spec)
                ])
            }
            let first = try await stage.claimOne(worker)
            let second = try await stage.claimOne(worker)
            func end(_ digit: String) -> AttemptResult {
                let digits = String(repeating: digit, count: 64)
                return AttemptResult(
                    outcome: .completed,
                    artifacts: [
                        .init(role: .adapter, name: "a", path: "/a", mediaType: "x/y", sha256: digits, bytes: 1)
                    ])
            }
            // The first one's transaction stays open until the second one waits for it.
            let other = Store(url: stage.url, application: "test")
            // On a crowded machine the first one's commit may come after the five seconds a statement waits for a lock.
            try await other.script("set lock_timeout = 0")
            try await stage.store.script("begin")
            _ = try await stage.store.finish(first.job, first.attempt, end("a"))
            async let state = other.finish(second.job, second.attempt, end("b"))
            let watch = Store(url: stage.url, application: "test")
            let waiting =
                "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            while try await watch.query(waiting).isEmpty { try Task.checkCancellation() }
            try await stage.store.script("commit")
            #expect(try await state == .completed)
            #expect(
                try await watch.query("select version from atelier.concepts order by version").map { $0["version"] }
                    == ["1", "2"])
            #expect(try await watch.newestConcepts(tenant: "t").first?.adapter == String(repeating: "b", count: 64))
        }
    }
}
