import DaemonTesting
import Foundation
import Jobs
import LittleWorld
import ModelTesting
import Testing

/// Proxy-Tuning from the message to the pictures: the real engine, models far too small to paint.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ProxyTuningTests {
    private static let pictures: [JSONValue] = Subject.heldOut(.dog, index: 0).references(count: 3).map {
        .object(["png": .string(Data(try! $0.paint(size: 16).png()).base64EncodedString())])
    }
    private static let options: [String: JSONValue] = [
        "proxies": 8, "supervisor_iterations": 4, "supervisor_batch": 1, "iterations": 4, "batch": 1, "rank": 2,
        "supervisor_rank": 2, "prior_pictures": 2,
    ]

    private static func job(
        _ model: String, concepts: JSONValue, _ changes: [String: JSONValue] = [:], images: [JSONValue] = pictures
    ) -> Data {
        var members: [String: JSONValue] = [
            "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": .string(model), "seed": 7,
            "concepts": concepts, "options": .object(options.merging(changes) { $1 }),
        ]
        if !images.isEmpty { members["images"] = .array(images) }
        return JSONValue.object(members).line
    }

    @Test func severalSubjectsAreLearntIntoOneAdapterAndTheirProxiesUsedAgain() async throws {
        let models = try TinyModels()
        try await Stage.with(settings: TrainingJob.settings.merging(["ATELIER_MODELS": models.folder]) { $1 }) {
            stage in
            try stage.start()
            try await stage.publish(
                body: Self.job(
                    "pocket-llamagen",
                    concepts: [
                        ["name": "rex", "role": "subject", "class": "dog", "images": [0, 1]],
                        ["name": "mia", "role": "subject", "class": "cat", "images": [2]],
                    ]), id: "both", kind: "personalize")
            let both = try await stage.job("both", reaches: .completed)
            let made = both["artifacts"]?.array ?? []
            #expect(made.filter { $0["role"]?.string == "proxy" }.count == 16)
            #expect(both["result"]?["concepts"] == ["rex", "mia"])
            let generation: JSONValue = [
                "version": 1, "kind": "generate", "model": "pocket-llamagen", "seed": 3,
                "prompts": ["a <rex> dog and a <mia> cat"],
            ]
            try await stage.publish(body: generation.line, id: "together", kind: "generate")
            _ = try await stage.job("together", reaches: .completed)
            // Without its word it draws nobody.
            let told = try await stage.control(
                "concepts", "export", "rex", "--format", "kohya", "--out", stage.folder.path + "/rex.safetensors")
            #expect(told.status == 0 && told.errors.contains("warning: word.rex.embedding, which stands"), "\(told)")
            let source: JSONValue = ["job": .string(both["id"]?.string ?? "")]
            func reuse(_ className: String) -> Data {
                Self.job(
                    "pocket-chameleon",
                    concepts: [["name": "rex", "role": "subject", "class": .string(className), "proxies": source]],
                    images: [])
            }
            try await stage.publish(body: reuse("dog"), id: "again", kind: "personalize")
            let again = try await stage.job("again", reaches: .completed)
            #expect(again["result"]?["proxies"]?["rex"] == ["pictures": 8, "reused": true])
            try await stage.publish(body: reuse("owl"), id: "owl", kind: "personalize")
            let owl = try await stage.outcomes(4)[3]
            let problem = owl["problems"]?.array?.first
            #expect(problem?["pointer"]?.string == "/concepts/0/proxies", "\(owl)")
            #expect(
                problem?["found"]?.string == "proxies of a dog" && problem?["allowed"]?.string == "proxies of an owl")
        }
        withExtendedLifetime(models) {}
    }
}
