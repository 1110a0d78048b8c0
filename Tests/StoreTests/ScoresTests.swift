import Foundation
import Jobs
import Store
import Testing

/// What evaluations found is there in rows, and methods stand in their order.
@Suite struct ScoresTests {
    /// Completes an `evaluate` job with these rows.
    private func evaluate(
        _ stage: Stage, _ rows: String, suite: String = "little-world", kind: JobKind = .evaluate
    ) async throws {
        let spec = try JSONValue(json: Data(#"{"model":"pocket-infinity","concepts":["rex"]}"#.utf8))
        _ = try await stage.store.accept([Submission(tenant: "t", messageID: UUID().uuidString, kind: kind, spec: spec)]
        )
        let claimed = try await stage.claimOne(try await stage.worker())
        let result = try JSONValue(
            json: Data(#"{"suite":"\#(suite)","metrics":{"seconds":2},"table":[\#(rows)]}"#.utf8))
        #expect(
            try await stage.store.finish(
                claimed.job, claimed.attempt, AttemptResult(outcome: .completed, result: result)) == .completed)
    }

    private func row(
        _ concept: String, _ method: String, dino: Double, pres: Double, clip: String = "pocket-clip"
    ) -> String {
        #"""
        {"concept":"\#(concept)","method":"\#(method)","scores":{"dino.pocket-dino":\#(dino),\#
        "pres.pocket-dino":\#(pres),"clip_i.\#(clip)":0.5},"intervals":{"dino.pocket-dino":0.01}}
        """#
    }

    @Test func scoresBecomeRowsThatNameMetricAndEncoder() async throws {
        try await Stage.with { stage in
            try await evaluate(stage, row("rex", "arbooth", dino: 0.75, pres: 0.25, clip: "clip-vit-base.32"))
            let rows = try await stage.store.objects(
                """
                select concept, method, model, suite, metric, encoder, value, half_width from atelier.scores order by \
                metric
                """
            )
            #expect(rows.count == 3)
            #expect(
                rows[0]["metric"] == .string("clip_i") && rows[0]["encoder"] == .string("clip-vit-base.32")
                    && rows[0]["half_width"] == .null)
            #expect(
                rows[1]["metric"] == .string("dino") && rows[1]["value"]?.double == 0.75
                    && rows[1]["half_width"]?.double == 0.01)
            #expect(rows[1]["model"] == .string("pocket-infinity") && rows[1]["suite"] == .string("little-world"))
            let quality = try await stage.store.objects(
                "select metric, value, method, suite from dashboard.quality where concept = 'rex' order by metric")
            #expect(
                quality.map { $0["metric"]?.string } == [
                    "clip_i.clip-vit-base.32", "dino.pocket-dino", "pres.pocket-dino",
                ])
            #expect(quality[2]["value"]?.double == 0.25)
        }
    }

    @Test func methodsStandInTheirOrderByTheirLatestFigures() async throws {
        try await Stage.with { stage in
            try await evaluate(stage, row("rex", "arbooth", dino: 0.1, pres: 0.9))
            try await evaluate(
                stage,
                [row("rex", "arbooth", dino: 0.8, pres: 0.3), row("mia", "arbooth", dino: 0.6, pres: 0.5)].joined(
                    separator: ","))
            try await evaluate(stage, row("kit", "lora", dino: 0.65, pres: 0.2))
            let board = try await stage.store.objects(
                """
                select * from dashboard.leaderboard where metric in ('dino.pocket-dino', 'pres.pocket-dino') order by \
                metric, place
                """
            )
            #expect(
                board.map { $0["method"]?.string } == ["arbooth", "lora", "lora", "arbooth"],
                "more DINO is better, less PRES is")
            #expect(board[0]["concepts"] == .integer(2) && abs((board[0]["mean"]?.double ?? 0) - 0.7) < 1e-9)
        }
    }

    @Test func whoIsKeptApartFromOthersComesFirst() async throws {
        try await Stage.with { stage in
            for (method, value) in [("arbooth", 0.9), ("lora", 0.2)] {
                let scores = row("rex", method, dino: 0.5, pres: value)
                try await evaluate(stage, scores.replacing("pres.pocket-dino", with: "dino_to_others.pocket-dino"))
            }
            let board = try await stage.store.objects(
                "select method from dashboard.leaderboard where metric = 'dino_to_others.pocket-dino' order by place")
            #expect(board.map { $0["method"]?.string } == ["lora", "arbooth"])
        }
    }

    @Test func jobsOwnPromptsHaveNoRankAndAPartOfASuiteHasItsOwn() async throws {
        try await Stage.with { stage in
            try await evaluate(stage, row("rex", "arbooth", dino: 0.8, pres: 0.3), suite: "own")
            try await evaluate(
                stage,
                row("rex", "arbooth", dino: 0.7, pres: 0.3).replacing(
                    #""concept""#, with: #""suite":"little-world (15 of 16)","concept""#))
            let suites = try await stage.store.objects("select distinct suite from dashboard.leaderboard")
            #expect(suites.map { $0["suite"] } == [.string("little-world (15 of 16)")])
        }
    }

    @Test func whatTheLeaderboardShowsIsKept() async throws {
        try await Stage.with { stage in
            try await evaluate(stage, row("rex", "arbooth", dino: 0.1, pres: 0.9))
            try await evaluate(stage, row("rex", "arbooth", dino: 0.8, pres: 0.3))
            try await evaluate(stage, row("rex", "arbooth", dino: 0.3, pres: 0.3), suite: "own")
            try await stage.store.query("update atelier.jobs set finalized_at = finalized_at - interval '99 days'")
            try await stage.store.query("update atelier.outbox set confirmed_at = now()")
            #expect(try await stage.store.prune(Retention(completedJobs: 30), limit: 9)["completed jobs"] == 2)
            let board = try await stage.store.objects(
                "select mean from dashboard.leaderboard where metric = 'dino.pocket-dino'")
            #expect(board.map { $0["mean"]?.double } == [0.8])
        }
    }

    @Test func suitesAreNotMixed() async throws {
        try await Stage.with { stage in
            try await evaluate(stage, row("rex", "arbooth", dino: 0.8, pres: 0.3))
            try await evaluate(stage, row("rex", "arbooth", dino: 0.2, pres: 0.3), suite: "quick", kind: .personalize)
            let board = try await stage.store.objects(
                "select suite, mean from dashboard.leaderboard where metric = 'dino.pocket-dino' order by suite")
            #expect(
                board.map { $0["suite"]?.string } == ["little-world", "quick"]
                    && board.map { $0["mean"]?.double } == [0.8, 0.2])
        }
    }

    @Test func theReferencesOfAConceptAreTheLatestVersions() async throws {
        try await Stage.with { stage in
            for digit in ["a", "b"] {
                let images = ["1", "2"].map { #"{"artifact":"sha256:\#(String(repeating: digit + $0, count: 32))"}"# }
                    .joined(separator: ",")
                let spec =
                    #"{"model":"pocket-infinity","concept":{"name":"rex","role":"subject"},"images":[\#(images)]}"#
                try await learn(stage, try JSONValue(json: Data(spec.utf8)), adapter: digit)
            }
            #expect(
                try await stage.store.references(of: "rex", tenant: "t", model: "pocket-infinity").map(
                    \.digest.description)
                    == ["b1", "b2"].map { String(repeating: $0, count: 32) })
            #expect(try await stage.store.references(of: "rex", tenant: "t", model: "pocket-chameleon").isEmpty)
            #expect(
                try await stage.store.references(of: "rex", version: 1, tenant: "t", model: "pocket-infinity").map(
                    \.digest.description)
                    == ["a1", "a2"].map { String(repeating: $0, count: 32) })
        }
    }

    /// Whatever pictures the job has of others.
    @Test func whatWasLearntFromProxiesHasNoReferences() async throws {
        try await Stage.with { stage in
            let digest = String(repeating: "a", count: 64)
            let proxies: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]
            let spec: JSONValue = [
                "model": "pocket-infinity", "images": [["artifact": .string("sha256:" + digest)]],
                "concepts": [
                    ["name": "rex", "role": "subject", "images": [0]],
                    ["name": "mia", "role": "subject", "proxies": proxies],
                ],
            ]
            try await learn(stage, spec, adapter: "b")
            let rex = try await stage.store.references(of: "rex", tenant: "t", model: "pocket-infinity")
            #expect(rex.map(\.digest.description) == [digest])
            #expect(try await stage.store.references(of: "mia", tenant: "t", model: "pocket-infinity").isEmpty)
        }
    }

    /// In lists and on its page: what stands there is not what the job learnt beside it.
    @Test func aConceptOfSeveralHasItsOwnReferencesAndMetrics() async throws {
        try await Stage.with { stage in
            let images = ["a", "b", "c"].map { digit in
                JSONValue.object(["artifact": .string("sha256:" + String(repeating: digit, count: 64))])
            }
            let spec: JSONValue = [
                "model": "pocket-infinity", "images": .array(images),
                "concepts": [
                    ["name": "rex", "role": "subject", "images": [0, 2]],
                    ["name": "mia", "role": "subject", "images": [1]],
                    ["name": "max", "role": "subject", "proxies": ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]],
                ],
            ]
            let table = [row("rex", "proxy-tuning", dino: 0.75, pres: 0.5), row("mia", "lora", dino: 0.25, pres: 0.5)]
            let result = try JSONValue(
                json: Data(
                    #"""
                    {"suite": "quick", "metrics": {"steps": 9, "dino.pocket-dino": 0.5},
                     "table": [\#(table.joined(separator: ","))]}
                    """#.utf8))
            try await learn(stage, spec, adapter: "d", result: result)
            let told = try await stage.store.objects("select * from dashboard.concept_details order by name")
            #expect(told.map { $0["name"]?.string } == ["max", "mia", "rex"])
            #expect(told.map { $0["references"]?.array } == [nil, [images[1]], [images[0], images[2]]])
            let listed = try await stage.store.concepts()
            for rows in [told, listed] {
                #expect(rows.map { $0["metrics"]?["dino.pocket-dino"]?.double } == [nil, 0.25, 0.75])
                #expect(rows.map { $0["metrics"]?["steps"]?.integer } == [9, 9, 9])
            }
            // Of what was measured of each, its own; of what the job alone has, the job's.
            let figures = try await stage.store.objects(
                """
                select concept, metric, value, suite, half_width from dashboard.quality
                where metric in ('dino.pocket-dino', 'steps') order by metric, concept
                """)
            #expect(figures.map { $0["concept"]?.string } == ["mia", "rex", "max", "mia", "rex"])
            #expect(figures.map { $0["value"]?.double } == [0.25, 0.75, 9, 9, 9])
            #expect(figures.map { $0["suite"]?.string } == ["quick", "quick", nil, nil, nil])
            #expect(figures[0]["half_width"]?.double == 0.01 && figures[2]["half_width"] == .null)
        }
    }

    /// Completes a `personalize` job.
    /// - Parameter digit: of which its adapter's digest is made.
    private func learn(
        _ stage: Stage, _ spec: JSONValue, adapter digit: String, result: JSONValue = .object([:])
    ) async throws {
        _ = try await stage.store.accept([
            Submission(tenant: "t", messageID: digit, kind: .personalize, spec: spec)
        ])
        let claimed = try await stage.claimOne(try await stage.worker())
        let adapter = EngineEvent.Artifact(
            role: .adapter, name: "rex.safetensors", path: "/x", mediaType: "application/vnd.safetensors",
            sha256: String(repeating: digit, count: 64), bytes: 1)
        _ = try await stage.store.finish(
            claimed.job, claimed.attempt,
            AttemptResult(outcome: .completed, result: result, artifacts: [adapter]))
    }
}
