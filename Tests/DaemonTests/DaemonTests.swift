import Broker
import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Store
import Testing

@testable import Daemon

/// The daemon with real servers, as a process, against everything that may happen to it.
@Suite(.serialized, .timeLimit(.minutes(15))) struct DaemonTests {
    private func withStage(_ servers: Servers? = nil, _ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(servers, settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"], body)
    }

    private func digest(_ job: JSONValue) -> String? { job.digest(of: "picture") }

    @Test func theSameMessageTwiceIsOneJob() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=3", id: "same")
            try await stage.publish("steps=3", id: "same")
            let job = try await stage.job("same", reaches: .completed)
            try await stage.publish("steps=3", id: "same")
            let again = try await stage.job("same") {
                $0["events"]?.array?.filter { $0["event"]?.string == "duplicate" }.count == 2
            }
            #expect(again["id"] == job["id"] && again["attempt"] == .integer(1))
            #expect(try await stage.store.jobs(JobFilter()).count == 1)
            #expect(digest(job) == Script.picture(3))
            let outcome = try #require(try await stage.outcomes(1).first)
            #expect(outcome["state"]?.string == "completed" && outcome["artifacts"]?.array?.count == 1)
            #expect(outcome["job"] == job["id"])
        }
    }

    @Test func aMalformedMessageIsRejectedWithEveryProblemAndTheQueueGoesOn() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish(
                body: Data(#"{"version":2,"kind":"generate","model":"gpt","prompts":[],"colour":"red"}"#.utf8),
                id: "bad")
            try await stage.publish(body: Data("not json \u{0}".utf8), id: "worse")
            try await stage.publish(body: Data("{}".utf8), id: nil)
            let good = try await stage.publish("steps=2")
            _ = try await stage.job(good, reaches: .completed)
            let outcomes = try await stage.outcomes(4)
            let bad = try #require(outcomes.first { $0["message_id"]?.string == "bad" })
            #expect(bad["state"]?.string == "rejected")
            let pointers = Set((bad["problems"]?.array ?? []).compactMap { $0["pointer"]?.string })
            #expect(pointers == ["/version", "/model", "/prompts", "/colour"])
            #expect(outcomes.filter { $0["state"]?.string == "rejected" }.count == 3)
            #expect(try await stage.store.query("select 1 from atelier.rejections").count == 3)
        }
    }

    @Test func aSeedThatNobodyGaveIsDrawnAndTold() async throws {
        try await withStage { stage in
            try stage.start()
            for id in ["one", "other", "one"] { try await stage.publish("steps=1", id: id) }
            let one = try await stage.job("one", reaches: .completed)
            let other = try await stage.job("other", reaches: .completed)
            let seed = try #require(one["result"]?["seed"]?.integer)
            #expect(seed >= 0 && seed != other["result"]?["seed"]?.integer)
            #expect(one["spec"]?["seed"] == nil, "the body stays as it was sent")
            let outcomes = try await stage.outcomes(2)
            #expect(outcomes.allSatisfy { $0["event"]?.string == "completed" })
        }
    }

    @Test func textThatPostgreSQLCannotHoldIsRejectedAndCutsNothingOff() async throws {
        try await withStage { stage in
            try stage.start()
            let good = try await stage.publish("steps=2", id: "a")
            _ = try await stage.job(good, reaches: .completed)
            try await stage.publish(
                body: Script.body("steps=2"),
                properties: MessageProperties(
                    messageID: "a\0b", replyTo: "reply.default.\0", correlationID: "c\0",
                    headers: ["traceparent": "t\0"]))
            let outcomes = try await stage.outcomes(2)
            let bad = try #require(outcomes.first { $0["state"]?.string == "rejected" })
            #expect(bad["message_id"]?.string == "a\u{FFFD}b")
            let problems = bad["problems"]?.array ?? []
            #expect(
                Set(problems.compactMap { $0["pointer"]?.string })
                    == [
                        "property:message_id", "property:reply_to", "property:correlation_id",
                        "property:headers/traceparent",
                    ])
            #expect(
                problems.allSatisfy {
                    $0["allowed"]?.string == "text without NUL characters"
                        && $0["found"]?.string?.contains("\\u0000") == true
                }, "\(problems)")
            #expect(try await stage.store.jobs(JobFilter()).count == 1)
        }
    }

    @Test func aJobIsTriedAgainWhenItIsDueNotWhenSomebodyHappensToLook() async throws {
        try await withStage { stage in
            try stage.start(["ATELIER_POLL_SECONDS": "300"])
            let failing = try await stage.publish("steps=2 fail-once=transient")
            let due = Date(timeIntervalSince1970: Date.now.timeIntervalSince1970.rounded() + 4)
            try await stage.publish(
                body: Script.body("steps=2"),
                properties: MessageProperties(
                    messageID: "later", headers: ["run_after": .string(due.formatted(.iso8601))]))
            _ = try await stage.job(failing, reaches: .completed)
            _ = try await stage.job("later", reaches: .completed)
            let late = try await stage.store.query(
                """
                select extract(epoch from a.started_at - coalesce(b.ended_at, $1::timestamptz)) as seconds from
                    atelier.attempts a
                left join atelier.attempts b on b.job = a.job and b.attempt = a.attempt - 1 join atelier.jobs j on
                    j.id = a.job
                where a.attempt = 2 or j.message_id = 'later' order by a.attempt
                """, [due.formatted(.iso8601)]
            ).compactMap { $0["seconds"].flatMap { Double($0) } }
            try #require(late.count == 2)
            #expect((0..<60).contains(late[0]), "claimed \(late[0]) s after it was due, and not at the next poll")
            #expect((1..<60).contains(late[1]), "tried again after \(late[1]) s instead of 1 to 2")
        }
    }

    @Test func aKilledEngineCostsAnAttemptAndTheJobGoesOnFromItsCheckpoint() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await stage.publish("steps=40 delay=40 kill-at=30")
            let job = try await stage.job(id, reaches: .completed)
            #expect(job["failures"] == .integer(1) && job["attempt"] == .integer(2))
            #expect((job["attempts"]?[1]?["resumed_from_step"]?.integer ?? 0) > 0)
            #expect(job["attempts"]?[0]?["outcome"]?.string == "crashed")
            #expect(digest(job) == Script.picture(40))
        }
    }

    @Test func aPoisonousJobStopsItselfAndCanBeRetried() async throws {
        try await withStage { stage in
            try stage.start()
            let poison = try await stage.publish("steps=3 fail=fatal")
            let discarded = try await stage.job(poison, reaches: .discarded)
            #expect(discarded["error_code"]?.string == "engine.scripted")
            let id = try #require(discarded.jobID)
            #expect(try await stage.store.retry(id, fromScratch: true))
            let again = try await stage.job(poison) {
                $0["attempt"] == .integer(2) && $0["state"]?.string == "discarded"
            }
            #expect(again["attempts"]?[1]?["resumed_from_step"] == .null)
            for script in ["lie", "outside", "garbage", "flood", "silent"] {
                let message = try await stage.publish("steps=1 \(script)")
                let failed = try await stage.job(message) { ($0["failures"]?.integer ?? 0) > 0 }
                #expect(
                    failed["attempts"]?.array?.first?["error_code"]?.string
                        == (script == "silent" ? "engine.crash" : "engine.protocol"), "\(script)")
                _ = try await stage.store.cancel(try #require(failed.jobID), reason: nil)
            }
            let told = "warning atelierd: attempt closed attempt.outcome=crashed error.code=engine.protocol"
            #expect(stage.log.contains(told))
        }
    }

    @Test func anEngineWithoutEndOfMemoryOrTimeCostsOneAttempt() async throws {
        try await withStage { stage in
            // On a busy machine an engine takes seconds to fill its memory, and says nothing meanwhile.
            try stage.start(["ATELIER_ENGINE_MEMORY_MIB": "200", "ATELIER_ENGINE_SILENCE_SECONDS": "15"])
            for (script, code) in [
                ("leak", "engine.memory"), ("gulp", "engine.memory"), ("hang ignore-term", "engine.hang"),
            ] {
                let message = try await stage.publish("steps=1 \(script)")
                let failed = try await stage.job(message) { ($0["failures"]?.integer ?? 0) > 0 }
                let first = try #require(failed["attempts"]?.array?.first)
                #expect(
                    first["error_code"]?.string == code && first["outcome"]?.string == "crashed", "\(script): \(first)")
                #expect((first["peak_memory_bytes"]?.integer ?? 0) < 600 << 20, "\(script): \(first)")
                _ = try await stage.store.cancel(try #require(failed.jobID), reason: nil)
            }
            try await stage.publish("steps=2", id: "after")
            _ = try await stage.job("after", reaches: .completed)
        }
    }

    /// A picture of a large model takes longer than a daemon bears silence.
    @Test func anEngineThatGivesSignsOfLifeIsNotEndedForItsSilence() async throws {
        try await withStage { stage in
            try stage.start(["ATELIER_ENGINE_SILENCE_SECONDS": "15"])
            let job = try await stage.job(stage.publish("steps=2 alive=190"), reaches: .completed)
            #expect(job["failures"] == .integer(0) && job["attempt"] == .integer(1))
        }
    }

    @Test func aKilledDaemonIsSucceededByItsNextStart() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await stage.publish("steps=60 delay=40")
            _ = try await stage.job(id) { $0["checkpoints"]?.array?.isEmpty == false }
            await stage.stop(SIGKILL)
            try stage.start()
            let job = try await stage.job(id, reaches: .completed)
            #expect(job["failures"] == .integer(0) && job["rescues"] == .integer(1) && job["attempt"] == .integer(2))
            #expect((job["attempts"]?[1]?["resumed_from_step"]?.integer ?? 0) > 0)
            #expect(digest(job) == Script.picture(60))
            let outcomes = try await stage.outcomes(1)
            #expect(outcomes.first?["state"]?.string == "completed")
        }
    }

    /// As when the connection breaks between a claim's commit and its answer.
    @Test func aClaimWhoseAnswerWasLostIsGivenBack() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.until("a worker is there") {
                try await stage.store.query("select 1 from atelier.workers").count == 1
            }
            try await stage.pause()
            let id = try await stage.publish("steps=2")
            _ = try await stage.job(id, reaches: .available)
            let worker = try #require(
                try await stage.store.query("select id from atelier.workers").first?["id"].flatMap(
                    UUID.init(uuidString:)))
            #expect(try await stage.store.claim(worker, 1).count == 1)
            _ = try await stage.job(id) { $0["state"]?.string == "available" && $0["attempt"] == .integer(1) }
            _ = try await stage.control("resume")
            let job = try await stage.job(id, reaches: .completed)
            #expect(job["attempt"] == .integer(2) && job["failures"] == .integer(0) && job["rescues"] == .integer(0))
        }
    }

    @Test func aDrainAsksForACheckpointAndChargesNothing() async throws {
        try await withStage { stage in
            let systemd = try NotifySocket(path: stage.folder.path + "/notify")
            try stage.start(["NOTIFY_SOCKET": systemd.path])
            let id = try await stage.publish("steps=60 delay=40")
            _ = try await stage.job(id) { ($0["step"]?.integer ?? 0) > 2 }
            #expect(await stage.stop(SIGTERM) == 0)
            let said = (0..<20).map { _ in systemd.receive(waiting: false) }
            #expect(said.contains { $0.hasPrefix("READY=1\n") })
            #expect(said.contains { $0.hasPrefix("STOPPING=1\nSTATUS=running 1 job") })
            let waiting = try await stage.job(id, reaches: .available)
            #expect(waiting["failures"] == .integer(0))
            #expect(waiting["attempts"]?[0]?["outcome"]?.string == "interrupted")
            #expect(try await stage.store.query("select 1 from atelier.workers where gone_at is null").isEmpty)
            try stage.start()
            let job = try await stage.job(id, reaches: .completed)
            #expect(digest(job) == Script.picture(60))
        }
    }

    @Test func cancelReachesWaitingAndRunningJobsAlsoDeafOnes() async throws {
        try await withStage { stage in
            try stage.start()
            let deaf = try await stage.publish("steps=2 hang ignore-term")
            let running = try await stage.job(deaf) { ($0["step"]?.integer ?? 0) == 2 }
            let waiting = try await stage.publish("steps=2")
            let second = try await stage.job(waiting, reaches: .available)
            for job in [second, running] {
                _ = try await stage.store.cancel(try #require(job.jobID), reason: "enough")
            }
            _ = try await stage.job(waiting, reaches: .cancelled)
            let ended = try await stage.job(deaf, reaches: .cancelled)
            #expect(ended["failures"] == .integer(0))
            #expect(
                try await stage.outcomes(2).allSatisfy {
                    $0["state"]?.string == "cancelled" && $0["reason"]?.string == "enough"
                })
        }
    }

    @Test func serversThatGoAndComeBackLoseNothing() async throws {
        let servers = try await Servers.startOwn()
        do {
            try await withStage(servers) { stage in
                try stage.start()
                let first = try await stage.publish("steps=100 delay=50")
                _ = try await stage.job(first) { ($0["step"]?.integer ?? 0) > 0 }
                try await servers.stop(.rabbitmq)
                _ = try await stage.job(first, reaches: .completed)  // its outcome waits in the outbox
                try await servers.start(.rabbitmq)
                let second = try await stage.publish("steps=60 delay=50")
                _ = try await stage.job(second) { ($0["step"]?.integer ?? 0) > 0 }
                try await servers.stop(.postgresql)
                let third = try await stage.publish("steps=2")  // stays with the broker
                try await servers.start(.postgresql)
                for (id, steps) in [(first, 100), (second, 60), (third, 2)] {
                    let job = try await stage.job(id, reaches: .completed)
                    #expect(job["failures"] == .integer(0))
                    #expect(digest(job) == Script.picture(steps))
                }
                // As if nobody could have noted that they left: all go again, under their ids.
                try await stage.store.query("update atelier.outbox set confirmed_at = null")
                let outcomes = try await stage.outcomes(3)
                #expect(Set(outcomes.compactMap { $0["message_id"]?.string }) == [first, second, third])
            }
        } catch {
            try? await servers.remove()
            throw error
        }
        try await servers.remove()
    }
}
