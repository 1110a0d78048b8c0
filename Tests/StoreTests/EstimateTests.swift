import Foundation
import Jobs
import Store
import Testing

/// What jobs are said to take, and what is learnt from what they took, held against a real PostgreSQL.
@Suite(.timeLimit(.minutes(10))) struct EstimateTests {
    private static let rates = HostRates(
        rates: ["products": 100, "bytes": 1000], residentBytes: 50, threads: 2)

    private static func cost(_ memory: Int = 150) -> JobCost {
        JobCost(work: ["products": 1000, "bytes": 2000], memoryBytes: memory, diskBytes: 7)
    }

    private func submission(_ id: String, _ memory: Int = 150) throws -> Submission {
        let spec = try JobSpec(["version": 1, "kind": "generate", "model": "m", "prompts": ["a dog"]])
        var submission = Submission(tenant: "t", messageID: id, spec: spec)
        submission.cost = (Self.cost(memory), "host")
        return submission
    }

    private func told(_ stage: Stage, _ job: UUID) async throws -> JSONValue? {
        try await stage.store.objects(
            "select estimate from dashboard.job_details where job = $1::uuid", [job.uuidString]
        )
        .first?["estimate"]
    }

    @Test func anEstimateIsWhatTheHostDoesASecond() async throws {
        try await Stage.with { stage in
            let unknown = try await stage.store.accept([submission("before")])[0].job
            #expect(try await told(stage, unknown) == .null, "the host is not measured yet")
            let worker = try await stage.worker()
            #expect(try await stage.store.measuredThreads(of: "host") == nil)
            try await stage.store.calibrate(worker, host: "host", memoryBytes: 1000, rates: Self.rates)
            #expect(try await stage.store.measuredThreads(of: "host") == 2)
            let job = try await stage.store.accept([submission("after")])[0].job
            let expected: JSONValue = ["seconds": 12, "memory_bytes": 200, "disk_bytes": 7, "jobs": 0]
            #expect(try await told(stage, job) == expected)
            let events = try await stage.store.outbox(.fresh, limit: 9).map(\.body)
            #expect(try JSONValue(json: events[1])["estimate"] == expected)
            let spec = try JobSpec(["version": 1, "kind": "generate", "model": "m", "prompts": ["a dog"]])
            let other = JobCost(work: ["magic": 1], memoryBytes: 1, diskBytes: 1)
            #expect(try await stage.store.estimate(other, of: spec, host: "host") == nil, "no rate for that")
        }
    }

    @Test func aJobIsClaimedWhereItsMemoryMayFit() async throws {
        try await Stage.with { stage in
            let (small, large) = (try await stage.worker(), try await stage.worker())
            for worker in [small, large] {
                try await stage.store.registerModels([WorkerModel(model: "m", digest: "1")], of: worker)
            }
            #expect(try await stage.store.largestMemory() == nil, "nobody says")
            try await stage.store.calibrate(small, host: "host", memoryBytes: 1000, rates: Self.rates)
            try await stage.store.calibrate(large, host: "other", memoryBytes: 4000, rates: nil)
            #expect(try await stage.store.largestMemory() == 4000)
            let job = try await stage.store.accept([submission("m", 1300)])[0].job
            #expect(try await stage.store.claim(small, 1).isEmpty, "1350 bytes are more than it has")
            #expect(try await stage.store.claim(large, 1).map(\.job) == [job])
            let near = try await stage.store.accept([submission("n", 1250)])[0].job
            let claimed = try await stage.store.claim(small, 1)
            #expect(claimed.map(\.job) == [near], "an estimate may be a quarter too high")
            #expect(claimed.first?.estimatedSeconds == 12)
        }
    }

    @Test func aJobIsClaimedWhereItFindsTheRoom() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            try await stage.store.registerModels([WorkerModel(model: "m", digest: "1")], of: worker)
            try await stage.store.calibrate(worker, host: "host", memoryBytes: 1000, rates: Self.rates)
            let job = try await stage.store.accept([submission("m")])[0].job
            #expect(try await stage.store.job(job)?["lacks"] == .null, "no worker says what is free")
            #expect(try await stage.store.claim(worker, 1, diskBytes: 6).isEmpty, "it keeps 7 bytes")
            let held = try await stage.store.job(job)
            #expect(held?["lacks_worker"] == true && held?["lacks"] == "worker.disk", "\(held ?? .null)")
            #expect(held?["largest_disk_bytes"] == 6)
            let rows = try await stage.store.objects("select * from dashboard.without_worker")
            #expect(rows.count == 1 && rows[0]["lacks"] == "worker.disk" && rows[0]["disk_bytes"] == 7, "\(rows)")
            #expect(rows[0]["largest_disk_bytes"] == 6)
            let claim = try #require(try await stage.store.claim(worker, 1, diskBytes: 7).first)
            #expect(claim.job == job)
            _ = try await stage.store.record(
                job, claim.attempt, started: nil, progress: nil, metrics: [],
                checkpoint: .init(step: 4, path: "/w/4", sha256: String(repeating: "a", count: 64), bytes: 1))
            _ = try await stage.store.finish(job, claim.attempt, AttemptResult(outcome: .interrupted))
            #expect(try await stage.store.job(job)?["lacks"] == .null)
            #expect(
                try await stage.store.claim(worker, 1, diskBytes: 0).map(\.job) == [job],
                "what goes on has taken its room before")
        }
    }

    /// It may be starting again: what it alone has the memory for is not refused meanwhile.
    @Test func aWorkerThatLeftCountsUntilItsSuccessorSaysWhatItHas() async throws {
        try await Stage.with { stage in
            let (small, large) = (try await stage.worker("small"), try await stage.worker("large"))
            try await stage.store.calibrate(small, host: "host", memoryBytes: 1000, rates: nil)
            try await stage.store.calibrate(large, host: "other", memoryBytes: 4000, rates: nil)
            try await stage.store.leave(large)
            #expect(try await stage.store.largestMemory() == 4000)
            // One that left before it said what it has says nothing.
            try await stage.store.leave(try await stage.worker("large"))
            #expect(try await stage.store.largestMemory() == 4000)
            let successor = try await stage.worker("large")
            #expect(try await stage.store.largestMemory() == nil, "it has not said yet")
            try await stage.store.calibrate(successor, host: "other", memoryBytes: 2000, rates: nil)
            #expect(try await stage.store.largestMemory() == 2000)
            try await stage.store.query("update atelier.workers set gone_at = now() - interval '2 days'")
            #expect(try await stage.store.largestMemory() == nil, "there is none")
        }
    }

    /// A job was accepted, and then the worker that it fitted left.
    @Test func whatFitsNoLivingWorkerAnyMoreIsSaid() async throws {
        try await Stage.with { stage in
            let (small, large) = (try await stage.worker(), try await stage.worker())
            for worker in [small, large] {
                try await stage.store.registerModels([WorkerModel(model: "m", digest: "1")], of: worker)
            }
            try await stage.store.calibrate(small, host: "host", memoryBytes: 1000, rates: Self.rates)
            try await stage.store.calibrate(large, host: "other", memoryBytes: 4000, rates: nil)
            let job = try await stage.store.accept([submission("m", 1400)])[0].job
            _ = try await stage.store.accept([submission("n", 2000), submission("fits", 1000)])
            func lacks() async throws -> (JSONValue?, JSONValue?, [JSONValue]) {
                let found = try await stage.store.job(job)
                return (
                    found?["lacks_worker"], found?["lacks"],
                    try await stage.store.objects("select * from dashboard.without_worker")
                )
            }
            var (isLacking, code, rows) = try await lacks()
            #expect(isLacking == false && code == .null && rows.isEmpty, "\(rows)")
            try await stage.store.leave(large)
            (isLacking, code, rows) = try await lacks()
            #expect(isLacking == true && code == "worker.memory" && rows.count == 1, "\(rows)")
            #expect(rows[0]["lacks"] == "worker.memory" && rows[0]["jobs"] == 2 && rows[0]["model"] == "m")
            #expect(rows[0]["memory_bytes"] == 2050 && rows[0]["largest_memory_bytes"] == 1000)
            #expect(try await stage.store.job(job)?["largest_memory_bytes"] == 1000)
            // One that does not say what it has may have enough.
            let silent = try await stage.worker()
            try await stage.store.registerModels([WorkerModel(model: "m", digest: "1")], of: silent)
            #expect(try await lacks().1 == .null)
            try await stage.store.leave(silent)
            try await stage.store.leave(small)
            (isLacking, code, rows) = try await lacks()
            #expect(isLacking == true && code == "worker.model", "no worker is left")
            #expect(rows.count == 1 && rows[0]["lacks"] == "worker.model" && rows[0]["jobs"] == 3, "\(rows)")
        }
    }

    @Test func oneStrangeJobMovesTheMedianLittle() async throws {
        try await Stage.with { stage in
            func median(_ found: [Double]) async throws -> Double {
                var (value, count) = (found[0], 1)
                for next in found.dropFirst() {
                    let rows = try await stage.store.query(
                        "select atelier.nearer_median($1::float8, $2::float8, $3::int) as median",
                        [String(value), String(next), String(count)])
                    value = try #require(rows.first?["median"].flatMap { Double($0) })
                    count += 1
                }
                return value
            }
            let steady = [Double](repeating: 2, count: 30)
            let (even, disturbed) = (try await median(steady), try await median(steady + [500]))
            let began = try await median([9] + steady)
            #expect(even == 2 && disturbed < 2.3)
            #expect(abs(began - 2) < 0.01, "a strange beginning is forgotten")
        }
    }
}
