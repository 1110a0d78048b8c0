import Foundation
import Jobs
import Store
import Testing

/// Which of the jobs that wait is next.
@Suite(.timeLimit(.minutes(10))) struct ClaimTests {
    /// Lets a job have waited so many minutes longer.
    private func age(_ job: UUID, by minutes: Int, in stage: Stage) async throws {
        try await stage.store.query(
            "update atelier.jobs set run_after = run_after - $2::int * interval '1 minute' where id = $1::uuid",
            [job.uuidString, String(minutes)])
    }

    /// Claims one and completes it, as a single slot does.
    private func turn(_ worker: UUID, in stage: Stage) async throws -> ClaimedJob {
        let job = try await stage.claimOne(worker)
        _ = try await stage.store.finish(job.job, job.attempt, AttemptResult(outcome: .completed))
        return job
    }

    @Test func tenMinutesOfWaitingAreWorthAStepOfPriority() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let old = try await stage.submit(priority: 0).job
            let urgent = try await stage.submit(priority: 3).job
            try await age(old, by: 29, in: stage)
            #expect(try await stage.claimOne(worker).job == urgent)
            let next = try await stage.submit(priority: 3).job
            try await age(old, by: 2, in: stage)
            #expect(try await stage.claimOne(worker).job == old, "31 minutes are worth more than three steps")
            #expect(try await stage.claimOne(worker).job == next)
        }
    }

    @Test func theLeastUrgentOfATenantDoesNotStarve() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let least = try await stage.submit("least", priority: 0).job
            var turns = 0
            for minutes in stride(from: 0, through: 100, by: 10) {
                _ = try await stage.submit(priority: 9)
                if minutes > 0 { try await age(least, by: 10, in: stage) }
                turns += 1
                if try await turn(worker, in: stage).job == least { break }
            }
            #expect(turns == 10, "after ninety minutes it goes before what is new")
        }
    }

    @Test func anotherTenantsBacklogIsNotWaitedFor() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            for _ in 0..<6 { try await age(try await stage.submit(tenant: "many").job, by: 300, in: stage) }
            _ = try await turn(worker, in: stage)
            for _ in 0..<2 { try await stage.submit(tenant: "few") }
            var tenants: [String] = []
            for _ in 0..<4 { tenants.append(try await turn(worker, in: stage).tenant) }
            #expect(tenants == ["few", "many", "few", "many"], "one slot, and they take turns")
        }
    }

    @Test func anotherTenantsUrgentJobsAreNotWaitedForWithoutEnd() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            let patient = try await stage.submit(tenant: "patient", priority: 5).job
            func urgent() async throws { try await stage.submit(tenant: "urgent", priority: 9) }
            for _ in 0..<3 {
                try await urgent()
                #expect(try await turn(worker, in: stage).tenant == "urgent")
            }
            try await age(patient, by: 41, in: stage)
            try await urgent()
            #expect(try await turn(worker, in: stage).job == patient)
            #expect(try await turn(worker, in: stage).tenant == "urgent")
        }
    }

    @Test func anUrgentJobIsNotHeldBackByItsTenantsBacklog() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            try await stage.submit(tenant: "a", priority: 1)
            _ = try await turn(worker, in: stage)  // so that waiting gives the tenant no level
            let old = try await stage.submit(tenant: "a", priority: 0).job
            try await age(old, by: 120, in: stage)
            let urgent = try await stage.submit(tenant: "a", priority: 8).job
            try await stage.submit(tenant: "b", priority: 5)
            #expect(try await turn(worker, in: stage).job == old, "it goes before the urgent one, with its level")
            #expect(try await turn(worker, in: stage).job == urgent)
            #expect(try await turn(worker, in: stage).tenant == "b")
        }
    }

    @Test func whatWasInterruptedKeepsItsPlace() async throws {
        try await Stage.with { stage in
            let first = try await stage.submit("first").job
            for _ in 0..<3 { try await stage.submit() }
            let drained = try await stage.worker("folder")
            let claimed = try await stage.claimOne(drained)
            _ = try await stage.store.finish(first, claimed.attempt, AttemptResult(outcome: .interrupted))
            #expect(try await stage.claimOne(drained).job == first, "after a drain")
            let next = try await stage.worker("folder")  // rescues
            #expect(try await stage.claimOne(next).job == first, "after its daemon died")
            try await stage.store.leave(next)
            #expect(try await stage.claimOne(try await stage.worker()).job == first, "after its daemon left")
        }
    }

    @Test func onlyTheKindsAskedForAreClaimed() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            try await stage.submit("drawing")
            #expect(try await stage.store.claim(worker, 9, kinds: [.personalize]).isEmpty)
            #expect(try await stage.store.claim(worker, 9, kinds: [.personalize, .generate]).count == 1)
        }
    }

    @Test func aJobIsClaimedOnlyWhereItsModelIs() async throws {
        try await Stage.with { stage in
            let (with, without) = (try await stage.worker("a"), try await stage.worker("b"))
            try await stage.store.registerModels(
                [WorkerModel(model: "infinity", digest: "d1"), WorkerModel(model: "chameleon", digest: "d2")], of: with)
            try await stage.store.registerModels([WorkerModel(model: "infinity", digest: "old")], of: without)
            func submit(_ id: String, _ model: String?, _ digest: String?) async throws {
                let submission = Submission(
                    tenant: "t", messageID: id, kind: .generate, spec: .object([:]), model: model, modelDigest: digest)
                _ = try await stage.store.accept([submission])
            }
            try await submit("exact", "infinity", "d1")
            try await submit("named", "chameleon", nil)
            try await submit("nowhere", "infinity", "d3")
            try await submit("any", nil, nil)
            #expect(try await stage.store.claim(without, 9).map(\.messageID) == ["any"])
            #expect(Set(try await stage.store.claim(with, 9).map(\.messageID)) == ["exact", "named"])
            let stranded = try await stage.store.query("select model, model_digest, jobs from dashboard.without_worker")
            #expect(stranded.map { [$0["model"], $0["model_digest"], $0["jobs"]] } == [["infinity", "d3", "1"]])
            try await stage.store.registerModels([WorkerModel(model: "infinity", digest: "d3")], of: without)
            #expect(try await stage.store.claim(without, 9).map(\.messageID) == ["nowhere"])
        }
    }

    /// An evaluation needs encoders too, and not each of them somewhere: all of them on one host.
    @Test func aJobIsClaimedOnlyWhereAllItsModelsAre() async throws {
        try await Stage.with { stage in
            let (north, south) = (try await stage.worker("a"), try await stage.worker("b"))
            func hold(_ worker: UUID, _ models: String...) async throws {
                try await stage.store.registerModels(models.map { WorkerModel(model: $0, digest: "d") }, of: worker)
            }
            try await hold(north, "infinity", "clip")
            try await hold(south, "infinity", "dino")
            var submission = Submission(
                tenant: "t", messageID: "m", kind: .evaluate, spec: .object([:]), model: "infinity", modelDigest: "d")
            submission.furtherModels = ["clip@d", "dino@"]
            let job = try await stage.store.accept([submission])[0].job
            for worker in [north, south] { #expect(try await stage.store.claim(worker, 9).isEmpty) }
            let stranded = try await stage.store.query("select model, further_models from dashboard.without_worker")
            #expect(stranded.map { [$0["model"], $0["further_models"]] } == [["infinity", "clip dino"]])
            #expect(try await stage.store.job(job)?["lacks_worker"] == true)
            let details = try await stage.store.query("select lacks_worker from dashboard.job_details")
            #expect(details.map { $0["lacks_worker"] } == ["t"])
            try await hold(south, "infinity", "dino", "clip")
            #expect(try await stage.store.query("select from dashboard.without_worker").isEmpty)
            #expect(try await stage.store.job(job)?["lacks_worker"] == false)
            #expect(try await stage.store.claim(north, 9).isEmpty)
            #expect(try await stage.store.claim(south, 9).map(\.job) == [job])
        }
    }

    @Test func aClaimIsAsFastBesideAHundredThousandThatWait() async throws {
        try await Stage.with { stage in
            let worker = try await stage.worker()
            try await stage.store.script(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, priority)
                    select 't' || i % 20, i, 'generate', '{}', i % 3 from generate_series(1, 100000) i;
                """)
            try await stage.store.script("vacuum analyze atelier.jobs")
            _ = try await stage.claimOne(worker)
            // Rows read, not time, which the machine's other work is in: the heads of 60 groups and little more.
            let before = try await stage.jobRowsRead()
            for _ in 0..<10 { _ = try await stage.claimOne(worker) }
            let each = try await (stage.jobRowsRead() - before) / 10
            #expect((1...500).contains(each), "\(each) rows a claim")
        }
    }

    @Test func whatModelsSayOfThemselvesIsKnownToAllAndGoesWithASuccessor() async throws {
        try await Stage.with { stage in
            func model(_ name: String, _ digest: String) -> ModelDescription {
                ModelDescription(family: .infinity, name: name, pictures: [.init(width: 8, height: 8)], digest: digest)
            }
            let first = try await stage.worker("/a")
            try await stage.store.registerModels([.init(model("x", "1")), .init(model("y", "1"))], of: first)
            let second = try await stage.worker("/b")
            try await stage.store.registerModels([.init(model("x", "2"))], of: second)
            #expect(try await stage.store.knownModels() == [model("x", "2"), model("y", "1")])
            try await stage.store.leave(second)
            #expect(try await stage.store.knownModels() == [model("x", "1"), model("y", "1")], "who lives counts")
            _ = try await stage.worker("/a")
            #expect(try await stage.store.knownModels() == [model("x", "2")], "its successor holds nothing yet")
            let rows = try await stage.store.modelsOfCluster()
            #expect(rows.count == 1 && rows[0]["workers"] == 0 && rows[0]["family"] == "infinity")
        }
    }
}
