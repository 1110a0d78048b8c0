import DaemonTesting
import Foundation
import Hashing
import Jobs
import Store
import Testing

/// Looking at a training changes nothing of it; what it learnt can be learnt further, drawn with less of it, and taken
/// out of the outcome itself.
@Suite(.serialized, .timeLimit(.minutes(20))) struct PreviewTests {
    private func options(_ iterations: Int) -> JSONValue {
        .object(["iterations": .integer(iterations), "batch": .integer(1), "distillation_maps": .integer(4)])
    }

    private func run(_ stage: Stage, _ body: Data, _ kind: String = "personalize") async throws -> JSONValue {
        let id = UUID().uuidString
        try await stage.publish(body: body, id: id, kind: kind)
        return try await stage.job(id, within: TrainingJob.patience, reaches: .completed)
    }

    private func draw(_ stage: Stage, _ changes: [String: JSONValue]) async throws -> String? {
        let members: [String: JSONValue] = [
            "version": .integer(1), "kind": .string("generate"), "model": .string("pocket-infinity"),
            "prompts": .array([.string(TrainingJob.prompt)]), "seed": .integer(3),
        ]
        return try await run(stage, JSONValue.object(members.merging(changes) { $1 }).line, "generate")
            .digest(of: "picture")
    }

    @Test func aTrainingIsSeenContinuedAndDrawnWithLessOfIt() async throws {
        let settings = TrainingJob.settings.merging([
            "ATELIER_WEB_URL": "https://atelier.example", "ATELIER_ATTACH_MIB": "64",
        ]) { $1 }
        try await Stage.with(settings: settings) { stage in
            try stage.start()
            let plain = try await run(stage, TrainingJob.body(["options": options(12)]))
            let seen = try await run(
                stage,
                TrainingJob.body([
                    "options": options(12), "preview_every": .integer(5),
                    "attach": .array([.string("adapter"), .string("picture")]),
                ]))
            #expect(seen.digest(of: "adapter") == plain.digest(of: "adapter"), "a look changed what was learnt")
            let previews = (seen["artifacts"]?.array ?? []).filter { $0["role"]?.string == "preview" }
            #expect(previews.compactMap { $0["name"]?.string } == ["preview-00005.png", "preview-00010.png"])
            #expect(
                previews[0]["sha256"] != previews[1]["sha256"] && previews[0]["prompt"]?.string == TrainingJob.prompt)
            let told = try await stage.store.query(
                "select body->'artifact'->>'name' as name from atelier.outbox where event = 'preview' order by id")
            #expect(told.compactMap { $0["name"] } == ["preview-00005.png", "preview-00010.png"])

            // What was asked for is in the outcome, and is what it says.
            let outcome = try #require(try await stage.outcomes(2).first { $0["job"] == seen["id"] })
            let artifacts = outcome["artifacts"]?.array ?? []
            for artifact in artifacts {
                let digest = try #require(artifact["sha256"]?.string)
                #expect(artifact["url"]?.string == "https://atelier.example/files/" + digest)
                let data = artifact["data"]?.string.flatMap { Data(base64Encoded: $0) }
                let isAsked = ["adapter", "picture"].contains(artifact["role"]?.string)
                #expect(
                    data.map { SHA256Digest.of($0).description } == (isAsked ? digest : nil), "\(artifact["role"]!)")
            }
            #expect(outcome["attach"] == nil && outcome["not_attached"] == nil)

            let further = try await run(
                stage, TrainingJob.body(["options": options(4), "continue_from": .string("rex@2")]))
            let anew = try await run(stage, TrainingJob.body(["options": options(4)]))
            #expect(further.digest(of: "adapter") != anew.digest(of: "adapter"))
            #expect(further.digest(of: "adapter") != seen.digest(of: "adapter"))

            let whole = try await draw(stage, [:])
            #expect(try await draw(stage, ["strengths": .object(["rex": .number(1)])]) == whole)
            let half = try await draw(stage, ["strengths": .object(["rex": .number(0.5)])])
            let none = try await draw(stage, ["strengths": .object(["rex": .number(0)])])
            #expect(Set([whole, half, none]).count == 3)
        }
    }
}
