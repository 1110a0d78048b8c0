import DaemonTesting
import Foundation
import Jobs
import Testing

/// What an upgrade with other weights leaves waiting goes on where somebody says so.
@Suite(.timeLimit(.minutes(15))) struct RebindTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]

    private func digests(_ stage: Stage) async throws -> [String] {
        try await stage.store.query(
            """
            select m.digest from atelier.worker_models m join atelier.workers w on w.id = m.worker
            where m.model = 'pocket-infinity' and w.gone_at is null
            """
        ).compactMap { $0["digest"] }
    }

    /// Learns ben, leaves one job half done and two waiting, and starts the daemon again with other weights. Gives the
    /// former digest and the new one, shortened.
    private func upgrade(_ stage: Stage) async throws -> (old: String, new: String) {
        try stage.start()
        try await stage.publish(body: Script.personalization("ben", seed: 1), id: "ben", kind: "personalize")
        _ = try await stage.job("ben", reaches: .completed)
        let old = try #require(try await digests(stage).first)
        try await stage.publish(
            body: Script.personalization("rex", seed: 2, script: "steps=300 delay=20 preview adapter"), id: "learns",
            kind: "personalize")
        _ = try await stage.job("learns") { ($0["step"]?.integer ?? 0) > 3 }
        try await stage.pause()
        try await stage.publish("steps=2", id: "draws")
        try await stage.publish("steps=2 <ben>", id: "uses")
        for id in ["draws", "uses"] { _ = try await stage.job(id, reaches: .available) }
        #expect(await stage.stop(SIGTERM) == 0)
        try StubModel.write("pocket-infinity", .infinity, in: stage.folder.path, number: 1)
        try stage.start()
        try await stage.until("the new weights are held") { try await digests(stage).contains { $0 != old } }
        let new = try #require(try await digests(stage).first)
        return (String(old.prefix(12)), String(new.prefix(12)))
    }

    @Test func jobsOfReplacedWeightsGoOnWhereSomebodySaysSo() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let (old, new) = try await upgrade(stage)
            let learns = try await stage.job("learns", reaches: .available)
            #expect(learns["lacks_worker"] == true && learns["checkpoints"]?.array?.isEmpty == false)
            let shown = try await stage.control("jobs", "show", "draws")
            let waits = "living workers hold other weights of that name: atelierctl jobs rebind"
            #expect(shown.output.contains(waits), "\(shown)")
            let doctor = try await stage.control("doctor")
            #expect(doctor.output.contains(waits + " --model pocket-infinity"), "\(doctor)")

            let filter = ["jobs", "rebind", "--model", "pocket-infinity"]
            let asked = try await stage.control(filter)
            #expect(asked.status == 75 && asked.lines.count == 3, "\(asked)")
            #expect(asked.errors.contains("2 jobs: pocket-infinity \(old) -> \(new)"), "\(asked)")
            #expect(asked.errors.contains("1 job cannot be rebound: <ben> of default was learnt on"), "\(asked)")
            #expect(asked.errors.contains("add --yes to rebind 2 jobs"), "\(asked)")
            let dry = try await stage.control(filter + ["--dry-run", "--json"])
            let rows = try #require(try JSONValue(json: Data(dry.output.utf8)).array)
            #expect(rows.count == 2 && rows[0]["models"]?[0]?["to"]?.string?.hasPrefix(new) == true, "\(dry)")
            let other = try await stage.control(filter + ["--digest", "none"])
            #expect(other.status == 66 && other.errors.contains("whose digest begins with none"), "\(other)")
            #expect(try await stage.control("jobs", "rebind").status == 64)

            let done = try await stage.control(filter + ["--yes"])
            #expect(
                done.status == 0 && done.lines.count == 2 && done.lines.allSatisfy { $0.hasSuffix("  available") },
                "\(done)")
            #expect(try await stage.control("resume").status == 0)
            let learnt = try await stage.job("learns", reaches: .completed)
            #expect(learnt["result"]?["metrics"]?["resumedFrom"] == 0, "it began anew: \(learnt)")
            #expect(learnt["model_digest"]?.string?.hasPrefix(new) == true && learnt["failures"] == 0)
            #expect(learnt["artifacts"]?.array?.count { $0["role"] == "preview" } == 1)
            _ = try await stage.job("draws", reaches: .completed)

            try await theConceptIsLearntAgain(stage, old)
        }
    }

    /// No engine uses an adapter on other weights than it was learnt on.
    private func theConceptIsLearntAgain(_ stage: Stage, _ old: String) async throws {
        let refused = try await stage.control("jobs", "rebind", "uses", "--yes")
        #expect(
            refused.status == 66 && refused.errors.contains("was learnt on pocket-infinity (\(old))"),
            "\(refused)")
        // What no daemon can do is no fault of free slots.
        try await stage.store.script("update atelier.jobs set run_after = run_after - interval '5 minutes'")
        let doctor = try await stage.control("doctor")
        #expect(doctor.output.contains("ok   waiting: 1 job ready"), "\(doctor)")
        try await stage.publish(body: Script.personalization("ben", seed: 3), id: "again", kind: "personalize")
        _ = try await stage.job("again", reaches: .completed)
        #expect(try await stage.control("jobs", "rebind", "uses", "--yes").status == 0)
        _ = try await stage.job("uses", reaches: .completed)
        let ended = try await stage.control("jobs", "rebind", "uses", "--yes")
        #expect(ended.status == 66 && ended.errors.contains("cannot be rebound: it is completed"), "\(ended)")
    }
}
