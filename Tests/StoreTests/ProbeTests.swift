import Foundation
import Jobs
import Store
import Testing

/// Probes, and many messages in one transaction.
@Suite(.timeLimit(.minutes(10))) struct ProbeTests {
    private func submission(
        _ id: String, kind: JobKind = .probe, tenant: String = "t", replyTo: String? = nil
    ) -> Submission {
        Submission(tenant: tenant, messageID: id, kind: kind, spec: .object([:]), replyTo: replyTo)
    }

    @Test func manyMessagesAreAcceptedInTheirOrderEachOnce() async throws {
        try await Stage.with { stage in
            let first = try await stage.store.accept(["a", "b"].map { submission($0) })
            let second = try await stage.store.accept(["c", "a", "d", "c"].map { submission($0, replyTo: "me") })
            #expect(second[1] == .duplicate(first[0].job) && second[3] == .duplicate(second[0].job))
            #expect(second[0] == .accepted(second[0].job) && second[2] == .accepted(second[2].job))
            #expect(try await stage.store.accept([submission("a", tenant: "other")])[0].job != first[0].job)
            let said = try await stage.store.outbox(.fresh, limit: 99)
            #expect(
                said.map(\.event) == [
                    "accepted", "accepted", "accepted", "accepted", "duplicate", "duplicate", "duplicate", "duplicate",
                    "accepted",
                ])
            #expect(said.filter(\.isReply).map(\.routingKey) == ["me", "me"])
            #expect(said.map(\.correlationID) == ["a", "b", "c", "d", "a", "a", "c", "c", "a"])
        }
    }

    @Test func oneMessageThatCannotBeHeldLeavesNoneOfItsBatch() async throws {
        try await Stage.with { stage in
            await #expect(throws: StoreError.self) {
                _ = try await stage.store.accept([submission("good"), submission(String(repeating: "x", count: 129))])
            }
            let jobs = try await stage.store.jobs(JobFilter())
            let said = try await stage.store.outbox(.fresh, limit: 9)
            #expect(jobs.isEmpty && said.isEmpty)
        }
    }

    @Test func probesAreAnsweredApartByAWorkerThatCounts() async throws {
        try await Stage.with { stage in
            let dead = try await stage.worker("same")
            let next = try await stage.worker("same")  // its predecessor is given up
            try await stage.submit("engine's")
            let jobs = try await stage.store.accept(["1", "2", "3"].map { submission($0, replyTo: "me") }).map(\.job)
            let result: JSONValue = .object(["worker": .string("w")])
            #expect(try await stage.store.answerProbes(dead, 9, result: result) == 0)
            #expect(try await stage.store.answerProbes(next, 2, result: result) == 2)
            #expect(try await stage.store.state(of: jobs[2]) == .available)
            #expect(try await stage.store.answerProbes(next, 9, result: result) == 1)
            #expect(try await stage.store.answerProbes(next, 9, result: result) == 0)
            #expect(try await stage.store.claim(next, 9).map(\.messageID) == ["engine's"])
            let job = try #require(try await stage.store.job(jobs[0]))
            #expect(job["state"] == .string("completed") && job["result"] == result && job["attempt"] == .integer(1))
            #expect(job["attempts"]?.array?.map { $0["outcome"] } == [.string("completed")])
            let outcomes = try await stage.store.outbox(.fresh, limit: 99).filter { $0.event == "completed" }
            #expect(
                outcomes.filter(\.isReply).count == 3
                    && outcomes.filter { $0.routingKey == "t.probe.completed" }.count == 3)
            let body = try JSONValue(json: try #require(outcomes.first).body)
            #expect(
                body["state"] == .string("completed") && body["artifacts"] == .array([]) && body["result"] == result)
        }
    }

    /// No claim comes to wake what is due while the daemon is paused.
    @Test func aProbeIsAnsweredAtItsTimeAndNotAfterItsDeadline() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let result: JSONValue = .object(["worker": .string("w")])
            var (late, later) = (submission("late"), submission("later"))
            late.deadline = Date.now - 1
            later.runAfter = Date.now + 3600
            let jobs = try await stage.store.accept([late, later]).map(\.job)
            #expect(try await stage.store.state(of: jobs[1]) == .scheduled)
            #expect(try await stage.store.answerProbes(worker, 9, result: result) == 0)
            #expect(try await stage.store.expire() == 1)
            #expect(try await stage.store.job(jobs[0])?["error_code"] == .string("job.deadline"))
            try await stage.store.query("update atelier.jobs set run_after = now() where state = 'scheduled'")
            #expect(try await stage.store.answerProbes(worker, 9, result: result) == 1)
            #expect(try await stage.store.state(of: jobs[1]) == .completed)
        }
    }

    @Test func probesAloneSignalNobodyWhoLooksForWork() async throws {
        try await Stage.with { stage in
            let (notified, notify) = AsyncStream.makeStream(of: String.self)
            let listener = Notifications(
                url: stage.url, channels: ["atelier_jobs"], lost: { _ in },
                handle: { notify.yield("\($0):\($1)") })
            let limit = Task {
                try await Task.sleep(for: .seconds(60))
                notify.finish()
            }
            defer {
                limit.cancel()
                listener.stop()
            }
            var said = notified.makeAsyncIterator()
            #expect(await said.next() == ":")  // it listens
            _ = try await stage.store.accept([submission("1"), submission("2")])
            #expect(await said.next() == "atelier_jobs:probe")
            _ = try await stage.store.accept([submission("3"), submission("4", kind: .generate)])
            #expect(await said.next() == "atelier_jobs:")
        }
    }
}
