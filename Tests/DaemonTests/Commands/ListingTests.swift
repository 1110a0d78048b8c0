import DaemonTesting
import Foundation
import Jobs
import Testing

/// Long lists: what is shown of them, how the rest is reached, and that nothing of them is forgotten.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ListingTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"], body)
    }

    /// Jobs that wait for a day that is far; the number of each is its message id.
    private func insert(_ count: Int, _ stage: Stage) async throws {
        try await stage.store.query(
            """
            insert into atelier.jobs (message_id, tenant, kind, spec, state, priority, run_after, created_at)
            select n::text, 'bulk', 'generate', '{}', 'scheduled', n % 10, now() + interval '1 day',
                now() - interval '1 hour' + n / 10 * interval '1 second'
            from generate_series(1, $1::int) n
            """, [String(count)])
    }

    @Test func pagesFollowEachOtherWithoutGapOrRepetition() async throws {
        try await withStage { stage in
            try await insert(25, stage)
            let first = try await stage.control("jobs", "list", "--limit", "10")
            #expect(first.lines.count == 11 && first.errors.hasPrefix("10 of 25 jobs; --after "), "\(first)")
            for heading in ["MESSAGE ID", "PRIORITY", "CREATED", "WAITED", "RAN"] {
                #expect(first.lines[0].contains(heading))
            }
            var found: [String] = []
            var after: [String] = []
            for _ in 0..<3 {
                let page = try await stage.control(["jobs", "list", "--limit", "10", "--json"] + after)
                let rows = try JSONValue(json: Data(page.output.utf8)).array ?? []
                found += rows.compactMap { $0["message_id"]?.string }
                after = ["--after", String(try #require(rows.last?["job"]?.string).prefix(8))]
            }
            #expect(found == (1...25).reversed().map { String($0) })
            let all = try await stage.control("jobs", "list")
            #expect(all.lines.count == 26 && all.errors.isEmpty, "\(all.errors)")
            #expect(try await stage.control("jobs", "list", "--after", "nobody").status == 66)
        }
    }

    @Test func waitingAndRunningAreApart() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2", id: "quick")
            let job = try await stage.job("quick", reaches: .completed)
            try await stage.store.query(
                """
                update atelier.jobs set created_at = started_at - interval '90 seconds',
                    finalized_at = started_at + interval '1 hour' where id = $1::uuid
                """, [job["id"]?.string])
            try await stage.store.query(
                "update atelier.attempts set ended_at = started_at + interval '1 hour' where job = $1::uuid",
                [job["id"]?.string])
            let line = try await stage.control("jobs", "list").lines.last ?? ""
            #expect(line.contains("  1m30s  ") && line.contains("  1h00m  "), "\(line)")
        }
    }

    @Test func anEarlierAttemptsErrorIsNotTheJobs() async throws {
        try await withStage { stage in
            try await insert(1, stage)
            func change(_ state: String) async throws -> String {
                try await stage.store.query(
                    "update atelier.jobs set state = $1::atelier.job_state, error_code = 'engine.crash'", [state])
                return try await stage.control("jobs", "show", "1").output
            }
            let waiting = try await change("available")
            #expect(waiting.contains("available") && !waiting.contains("engine.crash"), "\(waiting)")
            #expect(try await change("retryable").contains("error_code      engine.crash"))
        }
    }

    /// Whoever looks why a job does not begin.
    @Test func aJobThatWaitsForPausedDaemonsSaysSo() async throws {
        try await withStage { stage in
            try await insert(1, stage)
            let said = "waits for       the daemons, which are paused"
            let before = try await stage.control("jobs", "show", "1")
            #expect(before.status == 0 && !before.output.contains(said), "\(before)")
            _ = try await stage.store.order(paused: true)
            let after = try await stage.control("jobs", "show", "1")
            #expect(after.output.contains(said), "\(after)")
        }
    }

    /// More than are read at once.
    @Test func aBulkCancelReachesTheLastJob() async throws {
        try await withStage { stage in
            try await insert(2500, stage)
            let choice = ["--tenant", "bulk", "--state", "scheduled"]
            let asked = try await stage.control(["jobs", "cancel"] + choice)
            #expect(
                asked.status == 75 && asked.lines.count == 52 && asked.lines[51].hasPrefix("and 2450 more")
                    && asked.errors.contains("cancel 2500 jobs"), "\(asked.errors)")
            let done = try await stage.control(["jobs", "cancel", "--yes"] + choice)
            #expect(done.status == 0 && done.lines.count == 2500 && done.errors.contains("cancelled 2500 jobs"))
            #expect(try await stage.store.query("select 1 from atelier.jobs where state <> 'cancelled'").isEmpty)
        }
    }

    @Test func rejectionsAreListedAndShown() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish(body: Data(#"{"version":2,"kind":"paint"}"#.utf8), id: "no job")
            for number in 1...3 { try await stage.publish(body: Data("[]".utf8), id: "rubbish \(number)") }
            try await stage.until("all are refused") {
                try await stage.control("rejections", "list").lines.count == 5
            }
            let list = try await stage.control("rejections", "--limit", "2")
            #expect(list.lines.count == 3 && list.errors.hasPrefix("2 of 4 rejections; --after "), "\(list)")
            let rest = try await stage.control(
                "rejections", "--after", String(list.errors.split(separator: " ")[5]), "--json")
            #expect(try JSONValue(json: Data(rest.output.utf8)).array?.count == 2)

            let shown = try await stage.control("rejections", "show", "no job")
            #expect(
                shown.status == 0 && shown.output.contains("/kind: found") && shown.output.contains("/version: found")
                    && shown.output.contains(#"{"version":2,"kind":"paint"}"#), "\(shown)")
            #expect(try await stage.control("rejections", "show", "nobody").status == 66)
        }
    }

    @Test func whatIsDeletedIsGoneAndWhatRunsIsNot() async throws {
        try await withStage { stage in
            try stage.start()
            try await stage.publish("steps=2", id: "done")
            _ = try await stage.job("done", reaches: .completed)
            try await insert(1, stage)
            let waiting = try await stage.control("jobs", "delete", "1", "--yes")
            #expect(
                waiting.status == 66 && waiting.errors.contains("cannot be deleted: it is scheduled"), "\(waiting)")
            #expect(try await stage.control("jobs", "delete", "done").status == 75)
            let gone = try await stage.control("jobs", "delete", "done", "--yes")
            #expect(gone.status == 0 && gone.lines.last?.hasSuffix("  deleted") == true, "\(gone)")
            #expect(try await stage.control("jobs", "show", "done").status == 66)
            #expect(try await stage.store.query("select 1 from atelier.artifacts").isEmpty)
        }
    }
}
