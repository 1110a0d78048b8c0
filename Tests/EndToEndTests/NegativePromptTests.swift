import DaemonTesting
import Foundation
import Jobs
import Testing

/// What guidance leads away from, on the shipped models: diffusion has it, and no other does.
@Suite(.serialized, .timeLimit(.minutes(10))) struct NegativePromptTests {
    private static func body(_ options: JSONValue, model: String = "pocket-diffusion") -> Data {
        JSONValue.object([
            "version": 1, "kind": "generate", "model": .string(model), "prompts": ["a red dog in the snow"],
            "seed": 3, "options": options,
        ]).line
    }

    private func draw(_ stage: Stage, _ id: String, _ options: JSONValue) async throws -> String? {
        try await stage.publish(body: Self.body(options), id: id)
        return try await stage.job(id, within: TrainingJob.patience, reaches: .completed).digest(of: "picture")
    }

    @Test func itChangesThePictureWhereAModelHasIt() async throws {
        try await Stage.with(settings: TrainingJob.settings) { stage in
            try stage.start()
            let plain = try #require(try await draw(stage, "plain", ["steps": 4]))
            let away = try await draw(stage, "away", ["steps": 4, "negative_prompt": "snow"])
            let further = try await draw(stage, "further", ["steps": 4, "negative_prompt": "a red dog"])
            #expect(Set([plain, away, further]).count == 3)
            #expect(try await draw(stage, "again", ["steps": 4, "negative_prompt": "snow"]) == away)
            // Without guidance there is nothing to lead away from.
            let unguided = try await draw(stage, "unguided", ["steps": 4, "guidance": 1])
            #expect(
                try await draw(stage, "unguided, away", ["steps": 4, "guidance": 1, "negative_prompt": "snow"])
                    == unguided)

            for (id, body) in [
                ("infinity", Self.body(["negative_prompt": "snow"], model: "pocket-infinity")),
                ("chameleon", Self.body(["negative_prompt": "snow"], model: "pocket-chameleon")),
                ("empty", Self.body(["negative_prompt": ""])),
            ] { try await stage.publish(body: body, id: id) }
            try await stage.until("all are rejected") {
                try await stage.store.query("select 1 from atelier.rejections").count == 3
            }
            let rejections = try await stage.store.objects(
                "select message_id, problems from atelier.rejections order by message_id")
            for rejection in rejections {
                let problems = rejection["problems"]?.array ?? []
                #expect(problems.map { $0["pointer"] } == ["/options/negative_prompt"], "\(rejection)")
                #expect(problems.first?["allowed"]?.string?.isEmpty == false, "\(rejection)")
            }
        }
    }
}
