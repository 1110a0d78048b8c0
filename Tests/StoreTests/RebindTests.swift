import Foundation
import Jobs
import Store
import Testing

/// Waiting jobs are taken over to the weights that living workers hold under the names they need.
@Suite(.timeLimit(.minutes(10))) struct RebindTests {
    private func submit(
        _ stage: Stage, _ digest: String?, further: [String] = [], model: String? = "infinity"
    ) async throws -> UUID {
        var submission = Submission(
            tenant: "t", messageID: UUID().uuidString, kind: .generate, spec: .object([:]), model: model,
            modelDigest: digest)
        submission.furtherModels = further
        return try await stage.store.accept([submission])[0].job
    }

    private func worker(_ stage: Stage, _ models: [(String, String)]) async throws -> UUID {
        let worker = try await stage.worker()
        try await stage.store.registerModels(models.map { WorkerModel(model: $0.0, digest: $0.1) }, of: worker)
        return worker
    }

    @Test func itBeginsAnewOnWhatIsHeldAndSaysSo() async throws {
        try await Stage.with { stage in
            let old = try await worker(stage, [("infinity", "old")])
            let job = try await submit(stage, "old")
            let claim = try await stage.claimOne(old)
            _ = try await stage.store.record(
                job, claim.attempt, started: nil, progress: .init(stage: "train", step: 4, steps: 9),
                metrics: [.init(step: 4, values: ["loss": 1])],
                checkpoint: .init(step: 4, path: "/w/4", sha256: String(repeating: "a", count: 64), bytes: 1))
            try await stage.store.script(
                """
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes)
                    values ('\(job)', 'p', 'preview', 'image/png', repeat('b', 64), 1);
                insert into atelier.tenant_artifacts values ('t', repeat('b', 64));
                """)
            _ = try await stage.store.finish(job, claim.attempt, AttemptResult(outcome: .interrupted))
            #expect(try await stage.store.rebind(job) == nil, "what it needs is held")
            try await stage.store.leave(old)
            #expect(try await stage.store.rebind(job) == nil, "nobody holds anything")
            let new = try await worker(stage, [("infinity", "new"), ("clip", "c")])
            #expect(try await stage.store.claim(new, 9).isEmpty)
            let view = try await stage.store.objects("select * from dashboard.without_worker")
            #expect(view.count == 1 && view[0]["holds_other_weights"] == true, "\(view)")
            #expect(try await stage.store.job(job)?["holds_other_weights"] == true)

            #expect(try await stage.store.rebind(job) == .available)
            let bound = try #require(try await stage.store.job(job))
            #expect(bound["model_digest"] == "new" && bound["further_models"] == .null && bound["step"] == .null)
            #expect(bound["checkpoints"] == [] && bound["artifacts"] == [] && bound["holds_other_weights"] == false)
            for table in ["metrics", "tenant_artifacts"] {
                #expect(try await stage.store.query("select from atelier.\(table)").isEmpty, "\(table)")
            }
            #expect(try await stage.store.query("select from atelier.erasures").count == 1)
            let event = try await stage.store.objects("select detail from atelier.job_events where event = 'rebound'")
            let change: JSONValue = ["model": "infinity", "from": "old", "to": "new"]
            #expect(event.map { $0["detail"] } == [["models": [change]]], "\(event)")
            #expect(try await stage.store.rebind(job) == nil, "once")
            #expect(try await stage.claimOne(new).job == job)
            #expect(try await stage.store.rebind(job) == nil, "it runs")
        }
    }

    /// Which a job is bound to nobody guesses.
    @Test func ofSeveralItIsSaidWhich() async throws {
        try await Stage.with { stage in
            _ = try await worker(stage, [("infinity", "abc1")])
            _ = try await worker(stage, [("infinity", "abd2")])
            let job = try await submit(stage, "old")
            #expect(try await stage.store.rebind(job) == nil)
            #expect(try await stage.store.rebind(job, digest: "ab") == nil, "both begin so")
            #expect(try await stage.store.rebind(job, digest: "x") == nil)
            let found = try await stage.store.bindings(of: [job])
            #expect(found.first?.choices.map { $0.map(\.to) } == [["abc1"], ["abd2"]], "\(found)")
            #expect(try await stage.store.bindings(of: [job], digest: "abd").first?.choices.count == 1)
            #expect(try await stage.store.rebind(job, digest: "abd") == .available)
            #expect(try await stage.store.job(job)?["model_digest"] == "abd2")
        }
    }

    @Test func furtherModelsAreBoundToOneWorkersToo() async throws {
        try await Stage.with { stage in
            _ = try await worker(stage, [("infinity", "i1"), ("clip", "c1")])
            let apart = try await submit(stage, "i1", further: ["clip@c0", "dino@"])
            #expect(try await stage.store.rebind(apart) == nil, "nobody holds a dino")
            #expect(try await stage.store.job(apart)?["holds_other_weights"] == false)
            let whole = try await worker(stage, [("infinity", "i1"), ("clip", "c2"), ("dino", "d2")])
            let found = try await stage.store.bindings(of: [apart])
            #expect(found.first?.choices == [[.init(model: "clip", from: "c0", to: "c2")]], "\(found)")
            #expect(try await stage.store.rebind(apart) == .available)
            let bound = try await stage.store.job(apart)
            #expect(bound?["model_digest"] == "i1" && bound?["further_models"] == "clip@c2 dino@", "\(bound as Any)")
            #expect(try await stage.claimOne(whole).job == apart)
            // What needs any weights of a name, or no model, has nothing to be bound to.
            let free = [try await submit(stage, nil), try await submit(stage, nil, model: nil)]
            for job in free { #expect(try await stage.store.rebind(job) == nil) }
            #expect(try await stage.store.bindings(of: free).map(\.isHeld) == [true])
        }
    }
}
